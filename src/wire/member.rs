//! A member entry's bytes (FORMAT.md, "Member entry").

use alloc::vec::Vec;

use super::LEN_32;
use super::frame::{Field, Signed};
use super::reader::Reader;
use super::writer::Writer;
use crate::error::{Object, Result};
use crate::ident::{MemberId, Scope};

const MAGIC: [u8; 4] = *b"LKM\x01";

/// A member's public keys, as it signed them itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MemberEntry<'a> {
    pub(crate) scope: Scope,
    pub(crate) member: MemberId<'a>,
    pub(crate) hpke_key: Field<&'a [u8]>,
    pub(crate) signing_key: Field<[u8; LEN_32]>,
}

impl<'a> MemberEntry<'a> {
    /// The key fingerprint is taken of the body.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Signed<'a, Self>> {
        let mut reader = Reader::new(Object::MemberEntry, bytes, MAGIC)?;
        let scope = reader.scope()?;
        let member = MemberId(reader.identifier("member id")?);
        let hpke_key = reader.field(|reader| reader.bytes("hpke key", scope.suite.public_key_len()))?;
        let signing_key = reader.field(|reader| reader.array("signing key"))?;
        reader.signed(Self { scope, member, hpke_key, signing_key })
    }

    /// Everything before the signature.
    pub(crate) fn encode_body(&self) -> Vec<u8> {
        let mut out = Writer::new(MAGIC);
        out.scope(&self.scope).identifier(self.member.0);
        out.bytes(self.hpke_key.value).bytes(&self.signing_key.value);
        out.finish()
    }
}
