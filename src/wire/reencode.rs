//! Parsing and encoding again, which is the identity for every object: for tests and fuzzing.

use alloc::vec::Vec;

use super::card::{Card, put_voucher};
use super::descriptor::Descriptor;
use super::disclosure::{Disclosure, Inner};
use super::endorsement::Endorsement;
use super::grant::Grant;
use super::member::MemberEntry;
use super::pin::Pin;
use super::record::Record;
use super::roster::Roster;
use super::rotation::Rotation;
use super::share::{SHARE_LEN, Share};

/// Parses an object of any kind, which its first four bytes name, and encodes the fields that were read. The text inside
/// a disclosure (`LKI`) counts as one too.
///
/// `None` for what is refused; otherwise the same bytes, or the parser is at fault. Nothing is verified.
#[must_use]
#[cfg_attr(not(feature = "hazmat"), allow(unreachable_pub, reason = "public under `hazmat` only, for fuzzing"))]
pub fn reencode(bytes: &[u8]) -> Option<Vec<u8>> {
    match bytes.first_chunk()? {
        b"LKC\x01" => card(bytes),
        b"LKD\x01" => Some(Descriptor::parse(bytes).ok()?.encode()),
        b"LKE\x01" => endorsement(bytes),
        b"LKG\x01" => grant(bytes),
        b"LKI\x01" => inner(bytes),
        b"LKM\x01" => member(bytes),
        b"LKN\x01" => record(bytes),
        b"LKP\x01" => pin(bytes),
        b"LKR\x01" => roster(bytes),
        b"LKS\x01" => share(bytes),
        b"LKT\x01" => rotation(bytes),
        b"LKX\x01" => Some(Disclosure::parse(bytes).ok()?.encode()),
        _ => None,
    }
}

fn card(bytes: &[u8]) -> Option<Vec<u8>> {
    let (card, _, voucher) = Card::parse(bytes).ok()?;
    let mut again = card.encode_body();
    put_voucher(&mut again, &voucher);
    Some(again)
}

fn endorsement(bytes: &[u8]) -> Option<Vec<u8>> {
    let (endorsement, _, signature) = Endorsement::parse(bytes).ok()?;
    Some([endorsement.encode_body().as_slice(), &signature].concat())
}

fn grant(bytes: &[u8]) -> Option<Vec<u8>> {
    let (grant, _) = Grant::parse(bytes).ok()?;
    let head = Grant::encode_head(grant.suite, &grant.vault, &grant.card, &grant.recipient);
    Some([head.as_slice(), grant.sealed].concat())
}

fn inner(bytes: &[u8]) -> Option<Vec<u8>> {
    let (inner, length) = Inner::parse(bytes).ok()?;
    Some([inner.encode().as_slice(), bytes.get(length..)?].concat())
}

fn member(bytes: &[u8]) -> Option<Vec<u8>> {
    let entry = MemberEntry::parse(bytes).ok()?;
    Some([entry.encode_body().as_slice(), &entry.signature].concat())
}

fn record(bytes: &[u8]) -> Option<Vec<u8>> {
    let record = Record::parse(bytes).ok()?;
    let mut again = Vec::new();
    record.front.put(&mut again);
    again.extend_from_slice(record.payload);
    Some(again)
}

fn pin(bytes: &[u8]) -> Option<Vec<u8>> {
    let (pin, _, checksum) = Pin::parse(bytes).ok()?;
    Some([pin.encode_body().as_slice(), &checksum].concat())
}

fn roster(bytes: &[u8]) -> Option<Vec<u8>> {
    let (roster, _, signature) = Roster::parse(bytes).ok()?;
    Some([roster.encode_body().as_slice(), &signature].concat())
}

fn share(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut again = [0; SHARE_LEN];
    Share::parse(bytes).ok()?.encode_into(&mut again);
    Some(again.to_vec())
}

fn rotation(bytes: &[u8]) -> Option<Vec<u8>> {
    let (rotation, _, signatures) = Rotation::parse(bytes).ok()?;
    Some([rotation.encode_body().as_slice(), signatures.as_flattened()].concat())
}
