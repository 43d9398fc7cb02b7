//! A card's bytes (FORMAT.md, "Card").

use alloc::vec::Vec;

use super::reader::{Reader, put_identifier};
use super::{LEN_32, SIGNATURE_LEN};
use crate::error::{Object, Result};
use crate::ident::{CardId, Suite, VaultId};

const MAGIC: [u8; 4] = *b"LKC\x01";

/// The public part of one version of a patient's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Card<'a> {
    pub(crate) suite: Suite,
    pub(crate) vault: VaultId,
    /// 1 to 255 bytes.
    pub(crate) patient: &'a [u8],
    /// 1 for a patient's first card.
    pub(crate) version: u32,
    pub(crate) hpke_key: &'a [u8],
    pub(crate) succession_key: [u8; LEN_32],
    /// Id of the card before; zeros for version 1 and only for it.
    pub(crate) previous: CardId,
}

/// The succession signature of the card before; never on version 1, absent where the root alone vouches.
pub(crate) type Voucher = Option<[u8; SIGNATURE_LEN]>;

impl<'a> Card<'a> {
    /// Gives the card, its body (what the card id is taken of) and the voucher behind it.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<(Self, &'a [u8], Voucher)> {
        let mut reader = Reader::new(Object::Card, bytes, MAGIC)?;
        let suite = reader.suite()?;
        let vault = VaultId(reader.array("vault id")?);
        let patient = reader.identifier("patient id")?;
        let version = reader.positive_u32("version")?;
        let hpke_key = reader.bytes("hpke key", suite.public_key_len())?;
        let succession_key = reader.array("succession key")?;
        let previous_offset = reader.offset();
        let previous = CardId(reader.array("previous card")?);
        reader.require("previous card", previous_offset, (version == 1) == (previous.0 == [0; LEN_32]))?;
        let (body, _) = bytes.split_at_checked(reader.offset()).unwrap_or((bytes, &[]));
        let voucher = parse_voucher(&mut reader, version)?;
        reader.finish()?;
        Ok((Self { suite, vault, patient, version, hpke_key, succession_key, previous }, body, voucher))
    }

    /// Everything before the voucher.
    pub(crate) fn encode_body(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&self.suite.kem_id().to_be_bytes());
        out.extend_from_slice(&self.vault.0);
        put_identifier(&mut out, self.patient);
        out.extend_from_slice(&self.version.to_be_bytes());
        out.extend_from_slice(self.hpke_key);
        out.extend_from_slice(&self.succession_key);
        out.extend_from_slice(&self.previous.0);
        out
    }
}

fn parse_voucher(reader: &mut Reader<'_>, version: u32) -> Result<Voucher> {
    let offset = reader.offset();
    match reader.u8("voucher")? {
        0 => Ok(None),
        1 if version > 1 => reader.array("voucher").map(Some),
        _ => Err(reader.refuse("voucher", offset)),
    }
}

/// Appends the voucher behind a card's body.
pub(crate) fn put_voucher(out: &mut Vec<u8>, voucher: &Voucher) {
    match voucher {
        None => out.push(0),
        Some(signature) => {
            out.push(1);
            out.extend_from_slice(signature);
        }
    }
}
