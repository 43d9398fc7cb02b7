//! A record's bytes (FORMAT.md, "Records"): a front that differs by path, and the payload.

use alloc::vec::Vec;

use super::reader::Reader;
use super::{LEN_32, SIGNATURE_LEN, write_fields};
use crate::choice::{Padding, Path};
use crate::error::{Object, Result};
use crate::ident::{CardId, KeyFingerprint, Revision, Suite};

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
    pub(crate) signature: [u8; SIGNATURE_LEN],
}

/// How the record key reached the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrap<'a> {
    Reader(WrappedKey<'a>),
    Deposit { key: SealedKey<'a>, signature: [u8; SIGNATURE_LEN] },
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
    pub(crate) payload_offset: usize,
    /// Salt, commitment and chunks, which the room `chunked` reads; in a deposited attachment the trailer too.
    pub(crate) payload: &'a [u8],
}

impl<'a> Record<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self> {
        let mut reader = Reader::new(Object::Record, bytes, MAGIC)?;
        let front = Front::read(&mut reader)?;
        Ok(Self { front, payload_offset: reader.offset(), payload: reader.rest() })
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
            Path::Reader => Wrap::Reader(read_wrapped(reader)?),
            Path::Deposit => Wrap::Deposit { key: read_sealed(reader, suite)?, signature: reader.array("signature")? },
            Path::Absorbed => Wrap::Absorbed { origin: read_origin(reader)?, key: read_wrapped(reader)? },
            Path::DepositedAttachment => Wrap::DepositedAttachment(read_sealed(reader, suite)?),
        };
        Ok(Self { head: Head { suite, card, revision, padding }, wrap })
    }

    /// Appends the bytes that [`Front::parse`] reads.
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        let Head { suite, card, revision, padding } = &self.head;
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&suite.kem_id().to_be_bytes());
        out.push(self.path() as u8);
        out.extend_from_slice(&card.0);
        out.extend_from_slice(&revision.get().to_be_bytes());
        out.push(*padding as u8);
        match &self.wrap {
            Wrap::Reader(key) => put_wrapped(out, key),
            Wrap::Deposit { key, signature } => {
                put_sealed(out, key);
                out.extend_from_slice(signature);
            }
            Wrap::Absorbed { origin, key } => {
                out.extend_from_slice(&origin.encode());
                put_wrapped(out, key);
            }
            Wrap::DepositedAttachment(key) => put_sealed(out, key),
        }
    }
}

impl Origin {
    /// The bytes that stand in the record, and in the wrap context of its key.
    pub(crate) fn encode(&self) -> [u8; ORIGIN_LEN] {
        let roster_seen = self.roster_seen.to_be_bytes();
        let mut out = [0; ORIGIN_LEN];
        let Self { card, writer, sealed_key_digest, signature, .. } = self;
        write_fields(&mut out, &[&card.0, &writer.0, &roster_seen, sealed_key_digest, signature]);
        out
    }
}

fn read_wrapped<'a>(reader: &mut Reader<'a>) -> Result<WrappedKey<'a>> {
    Ok(WrappedKey {
        nonce: reader.array_ref("wrap nonce")?,
        ciphertext: reader.array_ref("wrapped key")?,
        tag: reader.array_ref("wrap tag")?,
    })
}

fn read_sealed<'a>(reader: &mut Reader<'a>, suite: Suite) -> Result<SealedKey<'a>> {
    Ok(SealedKey {
        writer: KeyFingerprint(reader.array("writer")?),
        roster_seen: reader.u64("roster version")?,
        sealed: reader.bytes("sealed key", suite.sealed_secret_len())?,
    })
}

fn read_origin(reader: &mut Reader<'_>) -> Result<Origin> {
    Ok(Origin {
        card: CardId(reader.array("deposit's card id")?),
        writer: KeyFingerprint(reader.array("writer")?),
        roster_seen: reader.u64("roster version")?,
        sealed_key_digest: reader.array("sealed key digest")?,
        signature: reader.array("signature")?,
    })
}

fn put_wrapped(out: &mut Vec<u8>, key: &WrappedKey<'_>) {
    out.extend_from_slice(key.nonce);
    out.extend_from_slice(key.ciphertext);
    out.extend_from_slice(key.tag);
}

fn put_sealed(out: &mut Vec<u8>, key: &SealedKey<'_>) {
    out.extend_from_slice(&key.writer.0);
    out.extend_from_slice(&key.roster_seen.to_be_bytes());
    out.extend_from_slice(key.sealed);
}
