//! Commitments, tags and share digests: whether the key shows, and at which byte they differ.

use std::hint::black_box;

use dudect_bencher::rand::Rng;
use dudect_bencher::{BenchRng, CtRunner};
use lukko::hazmat::chunked::{ChaCha20Poly1305, Header, OpeningKey, SealingKey};
use lukko::hazmat::prim;
use lukko::{Descriptor, NewVault, Pin, Policy, RegistrarKey, Share, Suite, create};

use crate::samples::{SAMPLES, Toss};

type Sealing = SealingKey<ChaCha20Poly1305, 32>;
type Opening = OpeningKey<ChaCha20Poly1305, 32>;

fn random<const N: usize>(rng: &mut BenchRng) -> [u8; N] {
    let mut bytes = [0; N];
    rng.fill_bytes(&mut bytes);
    bytes
}

/// A key of zeros or a random one; the commitment is not that key's.
pub(crate) fn commitment_key(runner: &mut CtRunner, rng: &mut BenchRng) {
    for _ in 0..SAMPLES {
        let toss = Toss::new(rng);
        let key = black_box(toss.fixed_or_random::<32>(rng));
        let header = random::<56>(rng);
        let Some((header, _)) = Header::split(&header) else { return };
        runner.run_one(toss.class(), || Opening::derive_checked(&key, &header, b"context").is_err());
    }
}

/// A commitment that is wrong in byte 0, or in byte 31.
pub(crate) fn commitment_place(runner: &mut CtRunner, rng: &mut BenchRng) {
    let (key, salt) = (random(rng), random::<24>(rng));
    let sealing = Sealing::derive(&key, &salt, b"context");
    for _ in 0..SAMPLES {
        let toss = Toss::new(rng);
        let mut header = [0; 56];
        header[..24].copy_from_slice(&salt);
        header[24..].copy_from_slice(&toss.altered(*sealing.commitment()));
        let Some((header, _)) = Header::split(black_box(&header)) else { return };
        runner.run_one(toss.class(), || Opening::derive_checked(&key, &header, b"context").is_err());
    }
}

/// A key of zeros or a random one; the tag is not that key's.
pub(crate) fn tag_key(runner: &mut CtRunner, rng: &mut BenchRng) {
    for _ in 0..SAMPLES {
        let toss = Toss::new(rng);
        let key = black_box(toss.fixed_or_random::<32>(rng));
        let (nonce, data, tag) = (random(rng), random::<32>(rng), random(rng));
        runner.run_one(toss.class(), || {
            let mut data = data;
            prim::unwrap_in_place(&key, &nonce, b"aad", &mut data, &tag).is_err()
        });
    }
}

/// A tag that is wrong in byte 0, or in byte 15.
pub(crate) fn tag_place(runner: &mut CtRunner, rng: &mut BenchRng) {
    let (key, nonce, mut data) = (random(rng), random(rng), random::<32>(rng));
    let Ok(tag) = prim::wrap_in_place(&key, &nonce, b"aad", &mut data) else { return };
    for _ in 0..SAMPLES {
        let toss = Toss::new(rng);
        let tag = black_box(toss.altered(tag));
        runner.run_one(toss.class(), || {
            let mut data = data;
            prim::unwrap_in_place(&key, &nonce, b"aad", &mut data, &tag).is_err()
        });
    }
}

/// A share against a descriptor whose digest of it is wrong in byte 0, or in byte 31. The digests of the other shares
/// are random each time: two descriptors that are always the same two differ in more than that byte.
pub(crate) fn digest_place(runner: &mut CtRunner, rng: &mut BenchRng) {
    let made = RegistrarKey::generate(rng)
        .and_then(|registrar| create(Policy::new(2, 3)?, Suite::X25519, &registrar.public(), rng));
    let Ok(NewVault { descriptor, shares, .. }) = made else { return };
    let Ok(share) = Share::from_bytes(shares[0].to_bytes().expose()) else { return };
    let Some((before, first)) = digests_of(descriptor.as_bytes()) else { return };
    for _ in 0..SAMPLES {
        let toss = Toss::new(rng);
        let bytes = [before, &toss.altered(*first), &random::<64>(rng)].concat();
        let parsed = Descriptor::parse(black_box(&bytes));
        let pinned = parsed.and_then(|it| Pin::new(it.fingerprint(), &it).and_then(|pin| pin.check(it)));
        let Ok(pinned) = pinned else { return };
        runner.run_one(toss.class(), || pinned.check_share(&share).is_err());
    }
}

/// What is in front of the digest of the first of three shares, and that digest.
fn digests_of(descriptor: &[u8]) -> Option<(&[u8], &[u8; 32])> {
    let (before, digests) = descriptor.split_at_checked(descriptor.len().checked_sub(3 * 32)?)?;
    digests.first_chunk().map(|first| (before, first))
}
