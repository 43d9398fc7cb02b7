//! Commitments, tags and share digests: what is compared is secret, the outcome is public.

use lukko::hazmat::chunked::{ChaCha20Poly1305, ChunkIndex, Header, OpeningKey, SealingKey};
use lukko::hazmat::prim;
use lukko::{Descriptor, NewVault, Pin, PinnedDescriptor, Policy, RegistrarKey, Share, Suite, create};

use crate::mark::{Draws, PublicDraws, findings, secret};
use crate::{Case, Expect};

/// A place beyond the end: nothing is altered.
const NOWHERE: usize = 99;

pub(crate) const CASES: &[Case] = &[
    Case { name: "seal", expect: Expect::None, runs: &[("derive, last chunk", seal)] },
    Case {
        name: "commitment",
        expect: Expect::Verdicts(1),
        runs: &[
            ("same", commitment::<NOWHERE>),
            ("byte 0", commitment::<0>),
            ("byte 16", commitment::<16>),
            ("byte 31", commitment::<31>),
        ],
    },
    Case {
        name: "tag-wrap",
        expect: Expect::Verdicts(1),
        runs: &[("same", wrap::<NOWHERE>), ("byte 0", wrap::<0>), ("byte 8", wrap::<8>), ("byte 15", wrap::<15>)],
    },
    Case {
        name: "tag-chunk",
        expect: Expect::Verdicts(1),
        runs: &[("same", chunk::<NOWHERE>), ("byte 0", chunk::<0>), ("byte 8", chunk::<8>), ("byte 15", chunk::<15>)],
    },
    Case {
        name: "share-digest",
        expect: Expect::Verdicts(1),
        runs: &[
            ("same", digest::<NOWHERE>),
            ("byte 0", digest::<0>),
            ("byte 16", digest::<16>),
            ("byte 31", digest::<31>),
        ],
    },
];

type Sealing = SealingKey<ChaCha20Poly1305, 32>;
type Opening = OpeningKey<ChaCha20Poly1305, 32>;

fn altered<const N: usize>(mut bytes: [u8; N], at: usize) -> [u8; N] {
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1;
    }
    bytes
}

/// The same key twice: public to prepare the case, and secret.
fn keys(draws: &mut Draws) -> ([u8; 32], [u8; 32]) {
    let key = draws.bytes();
    let mut hidden = key;
    secret(&mut hidden);
    (key, hidden)
}

fn seal(draws: &mut Draws) -> usize {
    let ((_, key), salt, mut note) = (keys(draws), draws.bytes(), draws.bytes::<300>());
    secret(&mut note);
    findings(|| Sealing::derive(&key, &salt, b"context").seal_last(&mut note))
}

fn commitment<const AT: usize>(draws: &mut Draws) -> usize {
    let ((key, hidden), salt) = (keys(draws), draws.bytes());
    let sealing = Sealing::derive(&key, &salt, b"context");
    let header = [salt.as_slice(), &altered(*sealing.commitment(), AT)].concat();
    let Some((header, _)) = Header::split(&header) else { return NOWHERE };
    findings(|| Opening::derive_checked(&hidden, &header, b"context"))
}

fn wrap<const AT: usize>(draws: &mut Draws) -> usize {
    let ((key, hidden), nonce, mut data) = (keys(draws), draws.bytes(), draws.bytes::<32>());
    let Ok(tag) = prim::wrap_in_place(&key, &nonce, b"aad", &mut data) else { return NOWHERE };
    let tag = altered(tag, AT);
    findings(|| prim::unwrap_in_place(&hidden, &nonce, b"aad", &mut data, &tag))
}

fn chunk<const AT: usize>(draws: &mut Draws) -> usize {
    let ((key, hidden), salt, mut data) = (keys(draws), draws.bytes(), draws.bytes::<300>());
    let sealing = Sealing::derive(&key, &salt, b"context");
    let header = [salt.as_slice(), sealing.commitment()].concat();
    let Ok(tag) = sealing.seal_last(&mut data) else { return NOWHERE };
    let tag = altered(tag, AT);
    let Some((header, _)) = Header::split(&header) else { return NOWHERE };
    let Ok(opening) = Opening::derive_checked(&hidden, &header, b"context") else { return NOWHERE };
    findings(|| opening.open(ChunkIndex::FIRST, &mut data, &tag))
}

/// The first share of a new vault with its value marked, and a descriptor that is pinned as it is: with a byte of that
/// share's digest altered, or not.
fn digest<const AT: usize>(draws: &mut Draws) -> usize {
    let Some((pinned, share)) = vault(draws, AT) else { return NOWHERE };
    findings(|| pinned.check_share(&share))
}

fn vault(draws: &mut Draws, at: usize) -> Option<(PinnedDescriptor, Share)> {
    let mut rng = PublicDraws(draws);
    let registrar = RegistrarKey::generate(&mut rng).ok()?;
    let policy = Policy::new(2, 3).ok()?;
    let NewVault { descriptor, shares, .. } = create(policy, Suite::X25519, &registrar.public(), &mut rng).ok()?;
    let (before, digests) = descriptor.as_bytes().split_at(descriptor.as_bytes().len() - 3 * 32);
    let (first, others) = digests.split_first_chunk::<32>()?;
    let descriptor = Descriptor::parse(&[before, &altered(*first, at), others].concat()).ok()?;
    let pinned = Pin::new(descriptor.fingerprint(), &descriptor).and_then(|pin| pin.check(descriptor)).ok()?;
    // The value is the end of a share.
    let mut share = shares[0].to_bytes().expose().to_vec();
    let value = share.len() - 32;
    secret(&mut share[value..]);
    Some((pinned, Share::from_bytes(&share).ok()?))
}
