//! A card's bytes (FORMAT.md, "Card").

use alloc::vec::Vec;

use super::LEN_32;
use super::frame::{Field, Framed, Signature};
use super::reader::Reader;
use super::writer::Writer;
use crate::digest::CardId;
use crate::error::{Object, Result};
use crate::ident::{PatientId, Scope};

const MAGIC: [u8; 4] = *b"LKC\x01";

/// The public part of one version of a patient's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Card<'a> {
    pub(crate) scope: Scope,
    pub(crate) patient: PatientId<'a>,
    /// 1 for a patient's first card.
    pub(crate) version: u32,
    pub(crate) hpke_key: Field<&'a [u8]>,
    pub(crate) succession_key: Field<[u8; LEN_32]>,
    /// Id of the card before; zeros for version 1 and only for it.
    pub(crate) previous: CardId,
}

/// The succession signature of the card before; never on version 1, absent where the root alone vouches.
pub(crate) type Voucher = Option<Signature>;

impl<'a> Card<'a> {
    /// The card id is taken of the body; the voucher stands behind it.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Framed<'a, Self, Voucher>> {
        let mut reader = Reader::new(Object::Card, bytes, MAGIC)?;
        let scope = reader.scope()?;
        let patient = PatientId(reader.identifier("patient id")?);
        let version = reader.positive_u32("version")?;
        let hpke_key = reader.field(|reader| reader.bytes("hpke key", scope.suite.public_key_len()))?;
        let succession_key = reader.field(|reader| reader.array("succession key"))?;
        let previous_offset = reader.offset();
        let previous = CardId(reader.array("previous card")?);
        reader.require("previous card", previous_offset, (version == 1) == (previous.0 == [0; LEN_32]))?;
        let body = reader.body();
        let end = read_voucher(&mut reader, version)?;
        reader.finish()?;
        Ok(Framed { value: Self { scope, patient, version, hpke_key, succession_key, previous }, body, end })
    }

    /// Everything before the voucher.
    pub(crate) fn encode_body(&self) -> Vec<u8> {
        let mut out = Writer::new(MAGIC);
        out.scope(&self.scope).identifier(self.patient.0).u32(self.version);
        out.bytes(self.hpke_key.value).bytes(&self.succession_key.value).bytes(&self.previous.0);
        out.finish()
    }
}

fn read_voucher(reader: &mut Reader<'_>, version: u32) -> Result<Voucher> {
    let offset = reader.offset();
    match reader.u8("voucher")? {
        0 => Ok(None),
        1 if version > 1 => reader.array("voucher").map(Some),
        _ => Err(reader.refuse("voucher", offset)),
    }
}

/// Appends the voucher behind a card's body.
pub(crate) fn put_voucher(out: &mut Vec<u8>, voucher: &Voucher) {
    out.push(u8::from(voucher.is_some()));
    out.extend_from_slice(voucher.as_ref().map_or(&[], |signature| signature.as_slice()));
}
