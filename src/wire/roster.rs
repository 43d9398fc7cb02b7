//! The roster's bytes (FORMAT.md, "Roster").

use alloc::vec::Vec;

use super::LEN_32;
use super::frame::Signed;
use super::reader::Reader;
use super::writer::Writer;
use crate::choice::{ClosedReason, Roles, Status};
use crate::digest::{CardId, KeyFingerprint, VaultId};
use crate::error::{Object, Result};

const MAGIC: [u8; 4] = *b"LKR\x01";
/// A roster line: fingerprint, roles, status.
const LINE_LEN: usize = 34;
/// A closed card: id and reason.
const CLOSED_LEN: usize = 33;

/// Who signed a roster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum RosterSigner {
    Registrar = 1,
    Root = 2,
}

impl RosterSigner {
    const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Registrar),
            2 => Some(Self::Root),
            _ => None,
        }
    }
}

/// One key on the roster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) key: KeyFingerprint,
    pub(crate) roles: Roles,
    pub(crate) status: Status,
}

/// One closed card on the roster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Closed {
    pub(crate) card: CardId,
    pub(crate) reason: ClosedReason,
}

/// The list of keys and closed cards, and its place in the chain of rosters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Roster {
    pub(crate) vault: VaultId,
    pub(crate) generation: u32,
    /// 1 for the first.
    pub(crate) version: u64,
    /// Digest of the roster before; zeros for the first and only for it.
    pub(crate) previous: [u8; LEN_32],
    pub(crate) signer: RosterSigner,
    /// In strictly rising order of fingerprints.
    pub(crate) lines: Vec<Line>,
    /// In strictly rising order of card ids.
    pub(crate) closed: Vec<Closed>,
}

impl Roster {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Signed<'_, Self>> {
        let mut reader = Reader::new(Object::Roster, bytes, MAGIC)?;
        let vault = VaultId(reader.array("vault id")?);
        let generation = reader.positive_u32("generation")?;
        let version_offset = reader.offset();
        let version = reader.u64("version")?;
        reader.require("version", version_offset, version != 0)?;
        let previous_offset = reader.offset();
        let previous = reader.array("previous")?;
        reader.require("previous", previous_offset, (version == 1) == (previous == [0; LEN_32]))?;
        let signer = reader.choice("signer", RosterSigner::from_byte)?;
        let lines = parse_lines(&mut reader)?;
        let closed = parse_closed(&mut reader)?;
        reader.signed(Self { vault, generation, version, previous, signer, lines, closed })
    }

    /// The line of a key, if there is one; lines are sorted.
    pub(crate) fn line(&self, key: KeyFingerprint) -> Option<&Line> {
        let found = self.lines.binary_search_by_key(&key, |line| line.key).ok()?;
        self.lines.get(found)
    }

    /// What stands about a closed card; closed cards are sorted.
    pub(crate) fn closed_card(&self, card: CardId) -> Option<&Closed> {
        let found = self.closed.binary_search_by_key(&card, |closed| closed.card).ok()?;
        self.closed.get(found)
    }

    /// Everything before the signature.
    pub(crate) fn encode_body(&self) -> Vec<u8> {
        let mut out = Writer::new(MAGIC);
        out.bytes(&self.vault.0).u32(self.generation).u64(self.version).bytes(&self.previous).u8(self.signer as u8);
        out.count(self.lines.len());
        for line in &self.lines {
            out.bytes(&line.key.0).u8(line.roles.bits()).u8(line.status as u8);
        }
        out.count(self.closed.len());
        for closed in &self.closed {
            out.bytes(&closed.card.0).u8(closed.reason as u8);
        }
        out.finish()
    }
}

/// Takes `count` items of a fixed length as one slice first, so that a huge count fails before anything is allocated.
fn counted<'a>(reader: &mut Reader<'a>, field: &'static str, item_len: usize) -> Result<&'a [u8]> {
    let offset = reader.offset();
    let count = reader.u32(field)?;
    let length = usize::try_from(count).ok().and_then(|count| count.checked_mul(item_len));
    reader.bytes(field, length.ok_or_else(|| reader.refuse(field, offset))?)
}

fn parse_lines(reader: &mut Reader<'_>) -> Result<Vec<Line>> {
    let offset = reader.offset();
    let items = counted(reader, "members", LINE_LEN)?;
    let line = |item: &[u8]| {
        let (key, [roles, status]) = item.split_first_chunk::<LEN_32>()? else { return None };
        let (roles, status) = (Roles::from_byte(*roles)?, Status::from_byte(*status)?);
        Some(Line { key: KeyFingerprint(*key), roles, status })
    };
    let lines: Option<Vec<Line>> = items.chunks_exact(LINE_LEN).map(line).collect();
    lines.filter(|lines| lines.is_sorted_by(|a, b| a.key < b.key)).ok_or_else(|| reader.refuse("members", offset))
}

fn parse_closed(reader: &mut Reader<'_>) -> Result<Vec<Closed>> {
    let offset = reader.offset();
    let items = counted(reader, "closed cards", CLOSED_LEN)?;
    let closed = |item: &[u8]| {
        let (card, [reason]) = item.split_first_chunk::<LEN_32>()? else { return None };
        Some(Closed { card: CardId(*card), reason: ClosedReason::from_byte(*reason)? })
    };
    let closed: Option<Vec<Closed>> = items.chunks_exact(CLOSED_LEN).map(closed).collect();
    closed
        .filter(|closed| closed.is_sorted_by(|a, b| a.card < b.card))
        .ok_or_else(|| reader.refuse("closed cards", offset))
}
