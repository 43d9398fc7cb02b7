//! A record's bytes (FORMAT.md, "Records"): a front that differs by path, and the payload.

use alloc::vec::Vec;
use core::mem;

use super::frame::{Field, SIGNATURE_LEN, Signature};
use super::reader::Reader;
use super::writer::Writer;
use super::{LEN_32, write_fields};
use crate::choice::{Padding, Path, Suite};
use crate::digest::{CardId, KeyFingerprint};
use crate::error::{Object, Result};
use crate::ident::Revision;

const MAGIC: [u8; 4] = *b"LKN\x01";
/// Length of magic, suite and path: after these the length of the front is known.
pub(crate) const START_LEN: usize = 7;
/// Length of magic, suite, path, card id, revision and padding, in bytes.
const HEAD_LEN: usize = START_LEN + LEN_32 + 8 + 1;
/// Length of a wrapped record key with its nonce and tag, in bytes.
const WRAPPED_LEN: usize = 24 + 32 + 16;
/// Length of everything before the payload on the reader's path, in bytes.
pub(crate) const READER_FRONT_LEN: usize = HEAD_LEN + WRAPPED_LEN;
/// Length of writer and roster version of a deposit, in bytes.
const WRITER_LEN: usize = LEN_32 + 8;
/// Length of [`Origin`], in bytes.
const ORIGIN_LEN: usize = LEN_32 + WRITER_LEN + LEN_32 + SIGNATURE_LEN;

/// What stands in a record before the wrapped key; its values are bound in the contexts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) suite: Suite,
    pub(crate) card: CardId,
    /// 0 in deposits and what became of them, and only there.
    pub(crate) revision: Revision,
    pub(crate) padding: Padding,
}

/// A record key under a patient KEK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WrappedKey<'a> {
    pub(crate) nonce: &'a [u8; 24],
    pub(crate) ciphertext: &'a [u8; 32],
    pub(crate) tag: &'a [u8; 16],
}

/// A record key sealed to a card by someone who cannot read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SealedKey<'a> {
    pub(crate) writer: KeyFingerprint,
    /// Version of the roster that the writer saw.
    pub(crate) roster_seen: u64,
    /// Encapsulation, 32 bytes and tag, as long as the suite says.
    pub(crate) sealed: &'a [u8],
}

/// What proves who wrote an absorbed deposit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The card that it was deposited for.
    pub(crate) card: CardId,
    pub(crate) writer: KeyFingerprint,
    pub(crate) roster_seen: u64,
    /// Digest of the sealed record key, which itself is gone.
    pub(crate) sealed_key_digest: [u8; LEN_32],
    pub(crate) signature: Signature,
}

/// How the record key reached the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrap<'a> {
    Reader(WrappedKey<'a>),
    Deposit { key: SealedKey<'a>, signature: Signature },
    Absorbed { origin: Origin, key: WrappedKey<'a> },
    DepositedAttachment(SealedKey<'a>),
}

/// Everything before the payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Front<'a> {
    pub(crate) head: Head,
    pub(crate) wrap: Wrap<'a>,
}

/// A sealed note of any path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    pub(crate) front: Front<'a>,
    /// Salt, commitment and chunks, which the room `chunked` reads; in a deposited attachment the trailer too.
    pub(crate) payload: Field<&'a [u8]>,
}

impl<'a> Record<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self> {
        let mut reader = Reader::new(Object::Record, bytes, MAGIC)?;
        let front = Front::read(&mut reader)?;
        Ok(Self { front, payload: reader.rest() })
    }
}

impl<'a> Front<'a> {
    /// Reads a front alone: exactly its bytes, as long as [`Front::len`] says.
    #[cfg(any(test, feature = "std"))]
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self> {
        let mut reader = Reader::new(Object::Record, bytes, MAGIC)?;
        let front = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(front)
    }

    /// The path, and the length of the front that begins with these [`START_LEN`] bytes or more.
    pub(crate) fn start(bytes: &[u8]) -> Result<(Path, usize)> {
        let mut reader = Reader::new(Object::Record, bytes, MAGIC)?;
        let suite = reader.suite()?;
        let path = reader.choice("path", Path::from_byte)?;
        Ok((path, Self::len(suite, path)))
    }

    /// The length of a front, in bytes.
    pub(crate) const fn len(suite: Suite, path: Path) -> usize {
        let sealed = WRITER_LEN.saturating_add(suite.sealed_secret_len());
        let wrap = match path {
            Path::Reader => WRAPPED_LEN,
            Path::Deposit => sealed.saturating_add(SIGNATURE_LEN),
            Path::Absorbed => ORIGIN_LEN.saturating_add(WRAPPED_LEN),
            Path::DepositedAttachment => sealed,
        };
        HEAD_LEN.saturating_add(wrap)
    }

    pub(crate) const fn path(&self) -> Path {
        match self.wrap {
            Wrap::Reader(_) => Path::Reader,
            Wrap::Deposit { .. } => Path::Deposit,
            Wrap::Absorbed { .. } => Path::Absorbed,
            Wrap::DepositedAttachment(_) => Path::DepositedAttachment,
        }
    }

    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        let suite = reader.suite()?;
        let path = reader.choice("path", Path::from_byte)?;
        let card = CardId(reader.array("card id")?);
        let revision_offset = reader.offset();
        let revision = Revision::from_number(reader.u64("revision")?);
        let possible = revision.filter(|revision| (*revision == Revision::DEPOSIT) != (path == Path::Reader));
        let revision = possible.ok_or_else(|| reader.refuse("revision", revision_offset))?;
        let padding = reader.choice("padding", Padding::from_byte)?;
        let wrap = match path {
            Path::Reader => Wrap::Reader(WrappedKey::read(reader)?),
            Path::Deposit => {
                Wrap::Deposit { key: SealedKey::read(reader, suite)?, signature: reader.array("signature")? }
            }
            Path::Absorbed => Wrap::Absorbed { origin: Origin::read(reader)?, key: WrappedKey::read(reader)? },
            Path::DepositedAttachment => Wrap::DepositedAttachment(SealedKey::read(reader, suite)?),
        };
        Ok(Self { head: Head { suite, card, revision, padding }, wrap })
    }

    /// Appends the bytes that [`Front::parse`] reads.
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        let Head { suite, card, revision, padding } = &self.head;
        let mut writer = Writer::behind(mem::take(out), MAGIC);
        writer.bytes(&suite.kem_id().to_be_bytes()).u8(self.path() as u8).bytes(&card.0);
        writer.u64(revision.get()).u8(*padding as u8);
        match &self.wrap {
            Wrap::Reader(key) => key.put(&mut writer),
            Wrap::Deposit { key, signature } => key.put(&mut writer).bytes(signature),
            Wrap::Absorbed { origin, key } => key.put(writer.bytes(&origin.encode())),
            Wrap::DepositedAttachment(key) => key.put(&mut writer),
        };
        *out = writer.finish();
    }
}

impl Origin {
    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        Ok(Self {
            card: CardId(reader.array("deposit's card id")?),
            writer: KeyFingerprint(reader.array("writer")?),
            roster_seen: reader.u64("roster version")?,
            sealed_key_digest: reader.array("sealed key digest")?,
            signature: reader.array("signature")?,
        })
    }

    /// The bytes that stand in the record, and in the wrap context of its key.
    pub(crate) fn encode(&self) -> [u8; ORIGIN_LEN] {
        let roster_seen = self.roster_seen.to_be_bytes();
        let mut out = [0; ORIGIN_LEN];
        let Self { card, writer, sealed_key_digest, signature, .. } = self;
        write_fields(&mut out, &[&card.0, &writer.0, &roster_seen, sealed_key_digest, signature]);
        out
    }
}

impl<'a> WrappedKey<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        Ok(Self {
            nonce: reader.array_ref("wrap nonce")?,
            ciphertext: reader.array_ref("wrapped key")?,
            tag: reader.array_ref("wrap tag")?,
        })
    }

    fn put<'w>(&self, out: &'w mut Writer) -> &'w mut Writer {
        out.bytes(self.nonce).bytes(self.ciphertext).bytes(self.tag)
    }
}

impl<'a> SealedKey<'a> {
    fn read(reader: &mut Reader<'a>, suite: Suite) -> Result<Self> {
        Ok(Self {
            writer: KeyFingerprint(reader.array("writer")?),
            roster_seen: reader.u64("roster version")?,
            sealed: reader.bytes("sealed key", suite.sealed_secret_len())?,
        })
    }

    fn put<'w>(&self, out: &'w mut Writer) -> &'w mut Writer {
        out.bytes(&self.writer.0).u64(self.roster_seen).bytes(self.sealed)
    }
}
