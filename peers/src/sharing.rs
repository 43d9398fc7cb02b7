//! Sharing of a secret of 32 bytes: dealt, and recovered from the first k shares.
//!
//! All three draw from the same generator in user space. `blahaj` asks it for one byte at a time, and would spend its
//! time in system calls with the operating system's.

use lukko::hazmat::shamir::{self, Point};
use rand::SeedableRng;
use rand::rngs::StdRng;
use sharks::{Share, Sharks};
use vsss_rs::Gf256;

use crate::LUKKO;
use crate::work::{Group, Outcome, Work, ensure};

/// A policy, and how it is called.
const POLICIES: [(&str, u8, u8); 2] = [("3-5", 3, 5), ("128-255", 128, 255)];
const SECRET: [u8; 32] = *b"32 bytes that must not get lost.";

/// The groups `split-K-N` and `recover-K-N`.
pub fn groups() -> Outcome<Vec<Group>> {
    let mut groups = Vec::new();
    for (name, k, n) in POLICIES {
        let mut split = Group::new(format!("split-{name}"));
        let mut recover = Group::new(format!("recover-{name}"));
        lukko(k, n, &mut split, &mut recover)?;
        blahaj(k, n, &mut split, &mut recover)?;
        vsss(k, n, &mut split, &mut recover)?;
        groups.extend([split, recover]);
    }
    Ok(groups)
}

fn rng() -> StdRng {
    StdRng::from_rng(&mut rand::rng())
}

fn recovered(who: &str, secret: &[u8]) -> Outcome {
    ensure(secret == SECRET, || format!("{who}: another secret was recovered"))
}

fn lukko(k: u8, n: u8, split: &mut Group, recover: &mut Group) -> Outcome {
    let mut rng = rng();
    let points = shamir::split(&SECRET, k, n, &mut rng)?;
    let combine = move |points: &[Point]| shamir::combine(&points.iter().take(k.into()).collect::<Vec<_>>());
    recovered(LUKKO, combine(&points)?.expose())?;
    // Both work in the same field: what lukko dealt, blahaj recovers.
    let foreign = points.iter().take(k.into()).map(|point| {
        let bytes = [&[point.x().get()][..], point.y()].concat();
        Share::try_from(bytes.as_slice())
    });
    let foreign = foreign.collect::<Result<Vec<_>, _>>()?;
    recovered("blahaj, with lukko's shares", &Sharks(k).recover(&foreign)?)?;
    split.works.push(Work::new(LUKKO, move || Ok(shamir::split(&SECRET, k, n, &mut rng)?)));
    recover.works.push(Work::new(LUKKO, move || Ok(combine(&points)?)));
    Ok(())
}

fn blahaj(k: u8, n: u8, split: &mut Group, recover: &mut Group) -> Outcome {
    let mut rng = rng();
    let mut deal = move || Sharks(k).dealer_rng(&SECRET, &mut rng).take(n.into()).collect::<Vec<Share>>();
    let shares: Vec<Share> = deal().into_iter().take(k.into()).collect();
    recovered("blahaj", &Sharks(k).recover(&shares)?)?;
    split.works.push(Work::new("blahaj", move || Ok(deal())));
    recover.works.push(Work::new("blahaj", move || Ok(Sharks(k).recover(&shares).map_err(str::to_owned)?)));
    Ok(())
}

fn vsss(k: u8, n: u8, split: &mut Group, recover: &mut Group) -> Outcome {
    let mut rng = rng();
    let failed = |error| format!("vsss-rs: {error:?}");
    let mut deal = move || Gf256::split_bytes(k.into(), n.into(), SECRET, &mut rng).map_err(failed);
    let shares: Vec<Vec<u8>> = deal()?.into_iter().take(k.into()).collect();
    let combine = move |shares: &[Vec<u8>]| Gf256::combine_bytes(shares).map_err(failed);
    recovered("vsss-rs", &combine(&shares)?)?;
    split.works.push(Work::new("vsss-rs", move || Ok(deal()?)));
    recover.works.push(Work::new("vsss-rs", move || Ok(combine(&shares)?)));
    Ok(())
}
