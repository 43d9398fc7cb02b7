//! A member entry's bytes (FORMAT.md, "Member entry").

use alloc::vec::Vec;

use super::reader::{Reader, put_identifier};
use super::{LEN_32, SIGNATURE_LEN};
use crate::error::{Object, Result};
use crate::ident::{Suite, VaultId};

const MAGIC: [u8; 4] = *b"LKM\x01";

/// A member's public keys, as it signed them itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MemberEntry<'a> {
    pub(crate) suite: Suite,
    pub(crate) vault: VaultId,
    /// 1 to 255 bytes.
    pub(crate) member: &'a [u8],
    pub(crate) hpke_key: &'a [u8],
    pub(crate) signing_key: [u8; LEN_32],
    pub(crate) signature: [u8; SIGNATURE_LEN],
}

impl<'a> MemberEntry<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self> {
        let mut reader = Reader::new(Object::MemberEntry, bytes, MAGIC)?;
        let suite = reader.suite()?;
        let vault = VaultId(reader.array("vault id")?);
        let member = reader.identifier("member id")?;
        let hpke_key = reader.bytes("hpke key", suite.public_key_len())?;
        let signing_key = reader.array("signing key")?;
        let signature = reader.array("signature")?;
        reader.finish()?;
        Ok(Self { suite, vault, member, hpke_key, signing_key, signature })
    }

    /// Everything before the signature: what is signed, and what the key fingerprint is taken of.
    pub(crate) fn encode_body(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&self.suite.kem_id().to_be_bytes());
        out.extend_from_slice(&self.vault.0);
        put_identifier(&mut out, self.member);
        out.extend_from_slice(self.hpke_key);
        out.extend_from_slice(&self.signing_key);
        out
    }
}
