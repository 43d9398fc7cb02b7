//! Parsing and encoding again, which is the identity for every object: for tests and fuzzing.

use alloc::vec::Vec;

use super::card::{Card, put_voucher};
use super::descriptor::Descriptor;
use super::disclosure::{Disclosure, Inner};
use super::endorsement::Endorsement;
use super::frame::Framed;
use super::grant::Grant;
use super::member::MemberEntry;
use super::pin::Pin;
use super::record::Record;
use super::roster::Roster;
use super::rotation::Rotation;
use super::share::{SHARE_LEN, Share};
use crate::error::Result;

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
        b"LKE\x01" => framed(Endorsement::parse(bytes), Endorsement::encode_body),
        b"LKG\x01" => framed(Grant::parse(bytes), Grant::encode_body),
        b"LKI\x01" => inner(bytes),
        b"LKM\x01" => framed(MemberEntry::parse(bytes), MemberEntry::encode_body),
        b"LKN\x01" => record(bytes),
        b"LKP\x01" => framed(Pin::parse(bytes), Pin::encode_body),
        b"LKR\x01" => framed(Roster::parse(bytes), Roster::encode_body),
        b"LKS\x01" => share(bytes),
        b"LKT\x01" => rotation(bytes),
        b"LKX\x01" => Some(Disclosure::parse(bytes).ok()?.encode()),
        _ => None,
    }
}

fn card(bytes: &[u8]) -> Option<Vec<u8>> {
    let Framed { value: card, end: voucher, .. } = Card::parse(bytes).ok()?;
    let mut again = card.encode_body();
    put_voucher(&mut again, &voucher);
    Some(again)
}

fn inner(bytes: &[u8]) -> Option<Vec<u8>> {
    let (inner, note) = Inner::parse(bytes).ok()?;
    Some([inner.encode().as_slice(), note].concat())
}

fn record(bytes: &[u8]) -> Option<Vec<u8>> {
    let record = Record::parse(bytes).ok()?;
    let mut again = Vec::new();
    record.front.put(&mut again);
    again.extend_from_slice(record.payload.value);
    Some(again)
}

fn rotation(bytes: &[u8]) -> Option<Vec<u8>> {
    let Framed { value: rotation, end: signatures, .. } = Rotation::parse(bytes).ok()?;
    Some([rotation.encode_body().as_slice(), signatures.as_flattened()].concat())
}

fn share(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut again = [0; SHARE_LEN];
    Share::parse(bytes).ok()?.encode_into(&mut again);
    Some(again.to_vec())
}

/// An object whose end is bytes and no more.
fn framed<T, End: AsRef<[u8]>>(
    framed: Result<Framed<'_, T, End>>,
    body: impl FnOnce(&T) -> Vec<u8>,
) -> Option<Vec<u8>> {
    let Framed { value, end, .. } = framed.ok()?;
    Some([body(&value).as_slice(), end.as_ref()].concat())
}
