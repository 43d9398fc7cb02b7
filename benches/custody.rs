//! What it costs to share a secret and to put it together again: the sharing alone, and the whole way of the custodians.

mod fixture;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use fixture::clinic::Clinic;
use fixture::generator::Cheap;
use fixture::{SUITES, short};
use lukko::hazmat::shamir;
use lukko::*;

/// A clinic's policy, and the largest one with the least majority.
fn policies() -> [Policy; 2] {
    [(3, 5), (128, 255)].map(|(k, n)| Policy::new(k, n).unwrap())
}

fn name(policy: Policy) -> String {
    format!("{} of {}", policy.k(), policy.n())
}

/// 32 bytes over GF(2^8), without digests and without key pairs.
fn sharing(c: &mut Criterion) {
    let (secret, mut rng) = ([0x5A; 32], Cheap::new());
    let mut group = c.benchmark_group("shamir");
    for policy in policies() {
        let mut split = || shamir::split(&secret, policy.k(), policy.n(), &mut rng).unwrap();
        let points = split();
        let quorum: Vec<_> = points.iter().rev().take(policy.k().into()).collect();
        assert_eq!(shamir::combine(&quorum).unwrap().expose(), &secret);
        group.throughput(Throughput::Elements(policy.n().into()));
        group.bench_function(BenchmarkId::new("split", name(policy)), |b| b.iter(&mut split));
        group.throughput(Throughput::Elements(policy.k().into()));
        let combine = || shamir::combine(&quorum).unwrap();
        group.bench_function(BenchmarkId::new("combine", name(policy)), |b| b.iter(combine));
    }
    group.finish();
}

/// From nothing to a vault with its shares, and from what a quorum typed in to the master key.
fn custodians(c: &mut Criterion) {
    for suite in SUITES {
        let mut group = c.benchmark_group(format!("custody, {suite:?}"));
        for policy in policies() {
            let clinic = Clinic::new(suite, policy);
            let (registrar, mut rng) = (clinic.registrar.public(), Cheap::new());
            let quorum = clinic.shares.iter().rev().take(policy.k().into());
            let paper: Vec<SecretText> = quorum.map(Share::to_text).collect();
            let recover = || {
                let mut recovery = Recovery::new(clinic.vault.descriptor());
                for text in &paper {
                    recovery.add(Share::from_text(text.expose()).unwrap()).unwrap();
                }
                recovery.finish().unwrap()
            };
            assert_eq!(recover().fingerprint(), clinic.master.fingerprint());
            group.throughput(Throughput::Elements(policy.n().into()));
            let mut create = || create(policy, suite, &registrar, &mut rng).unwrap();
            group.bench_function(BenchmarkId::new("create", name(policy)), |b| b.iter(&mut create));
            group.throughput(Throughput::Elements(policy.k().into()));
            group.bench_function(BenchmarkId::new("recover from paper", name(policy)), |b| b.iter(recover));
        }
        group.finish();
    }
}

/// The text that a custodian keeps on paper.
fn paper(c: &mut Criterion) {
    let clinic = Clinic::small(Suite::default());
    let share = &clinic.shares[0];
    let text = share.to_text();
    let decode = || Share::from_text(text.expose()).unwrap();
    assert_eq!(decode().to_bytes().expose(), share.to_bytes().expose());
    let mut group = c.benchmark_group(format!("share text, {} characters", text.expose().len()));
    group.throughput(Throughput::Bytes(share.to_bytes().expose().len() as u64));
    group.bench_function("encode", |b| b.iter(|| share.to_text()));
    group.bench_function("decode", |b| b.iter(decode));
    group.finish();
}

criterion_group! {
    name = custody;
    config = short();
    targets = sharing, custodians, paper
}
criterion_main!(custody);
