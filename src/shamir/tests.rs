#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::panic)]

extern crate std;

use alloc::format;
use alloc::vec;
use core::convert::Infallible;

use proptest::prelude::*;
use rand_core::TryRng;
use sharks::{Share, Sharks};

use super::*;

/// SplitMix64 (Steele, Lea, Flood 2014): the same numbers in every run.
struct Fixed(u64);

impl TryRng for Fixed {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> core::result::Result<u32, Infallible> {
        self.try_next_u64().map(|number| u32::try_from(number >> 32).unwrap())
    }

    fn try_next_u64(&mut self) -> core::result::Result<u64, Infallible> {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        Ok(z ^ (z >> 31))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> core::result::Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.try_next_u64()?.to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

impl TryCryptoRng for Fixed {}

/// Hands out the given bytes, once, and fails for any other call.
struct Chosen<'a>(Option<&'a [u8]>);

impl TryRng for Chosen<'_> {
    type Error = fmt::Error;

    fn try_next_u32(&mut self) -> core::result::Result<u32, fmt::Error> {
        Err(fmt::Error)
    }

    fn try_next_u64(&mut self) -> core::result::Result<u64, fmt::Error> {
        Err(fmt::Error)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> core::result::Result<(), fmt::Error> {
        let chosen = self.0.take().filter(|chosen| chosen.len() == bytes.len()).ok_or(fmt::Error)?;
        bytes.copy_from_slice(chosen);
        Ok(())
    }
}

impl TryCryptoRng for Chosen<'_> {}

const SECRET: [u8; 32] = *b"an example of a 32 bytes secret.";

fn dealt(k: u8, n: u8) -> Vec<Point> {
    split(&SECRET, k, n, &mut Fixed(u64::from(k) << 8 | u64::from(n))).unwrap()
}

fn point(x: u8, y: &[u8; 32]) -> Point {
    Point::new(NonZeroU8::new(x).unwrap(), y)
}

fn fault<T: fmt::Debug>(result: Result<T>) -> (u8, ShareFault) {
    match result {
        Err(Error::Share { index, reason }) => (index, reason),
        other => panic!("{other:?}"),
    }
}

/// All subsets of the points, each by its bits.
fn subsets(points: &[Point]) -> impl Iterator<Item = Vec<&Point>> {
    (0..1_usize << points.len())
        .map(|bits| points.iter().enumerate().filter(|(i, _)| bits >> i & 1 == 1).map(|(_, point)| point).collect())
}

fn policies(largest: u8) -> impl Iterator<Item = (u8, u8)> {
    (2..=largest).flat_map(|n| (2..=n).map(move |k| (k, n)))
}

/// Computed in Python with tables of logarithms to the base 2, modulo 0x11D: secret 8 i, coefficients 7 i + 1, i^2 + 250.
#[test]
fn split_and_combine_agree_with_values_computed_elsewhere() {
    let expected = [
        (1, "fbfbe10d371f052143434965bf97adc90bebd17da78ff5115313f9b52f675d99"),
        (2, "cdd3d138322c1ef0daf9bb15d86674e7ad149618b56bc4cd6704e1d25f7cae87"),
        (3, "3620202d251b2be9d9f2a2280799a9562677d7fdb24c8164f4dfc8bf90f303e6"),
        (254, "6fd9494569ef9776c7282e493ff3f0be7352f32f9495be7efee77642c25dd962"),
        (255, "942ab8507ed8a26fc4233774e00c2d0ff831b2ca93b2fbd76d3c5f2f0dd27403"),
    ];
    let bytes = |of: fn(u32) -> u32| {
        core::array::from_fn::<u8, 32, _>(|i| (of(u32::try_from(i).unwrap()) % 256).try_into().unwrap())
    };
    let secret = bytes(|i| 8 * i);
    let coefficients = [bytes(|i| 7 * i + 1), bytes(|i| i * i + 250)].concat();
    let points = split(&secret, 3, 255, &mut Chosen(Some(&coefficients))).unwrap();
    for (x, y) in expected {
        assert_eq!(hex::encode(points[x - 1].y()), y, "share {x}");
    }
    let apart = [&points[254], &points[1], &points[253]];
    assert_eq!(combine(&apart).unwrap().expose(), &secret);
}

#[test]
fn t056_fewer_than_k_shares_give_another_value() {
    for (k, n) in policies(7) {
        let points = dealt(k, n);
        for few in subsets(&points).filter(|subset| subset.len() < k.into()) {
            match few.len() {
                0 => assert_eq!(combine(&few).unwrap_err(), Error::NotEnoughShares { have: 0, need: 2 }),
                1 => assert_eq!(combine(&few).unwrap_err(), Error::NotEnoughShares { have: 1, need: 2 }),
                _ => assert_ne!(combine(&few).unwrap().expose(), &SECRET, "{few:?} of {k}"),
            }
        }
    }
}

#[test]
fn t057_every_k_shares_and_more_give_the_secret() {
    for (k, n) in policies(8) {
        let points = dealt(k, n);
        for mut enough in subsets(&points).filter(|subset| subset.len() >= k.into()) {
            assert_eq!(combine(&enough).unwrap().expose(), &SECRET, "{enough:?} of {k}");
            enough.reverse();
            assert_eq!(combine(&enough).unwrap().expose(), &SECRET, "{enough:?} of {k}");
        }
    }
}

#[test]
fn t057_an_odd_share_is_named() {
    let points = dealt(3, 5);
    let (first, further) = points.split_at(3);
    let first: Vec<&Point> = first.iter().collect();
    for good in &points {
        check(&first, good).unwrap();
        for bit in 0..256 {
            let mut y = *good.y();
            y[bit / 8] ^= 1 << (bit % 8);
            let odd = point(good.x().get(), &y);
            assert_eq!(fault(check(&first, &odd)), (good.x().get(), ShareFault::OffPolynomial));
            assert_eq!(fault(check_all(&first, &[&further[0], &odd, &further[1]])).0, good.x().get());
        }
    }
}

#[test]
fn t057_an_odd_share_is_named_among_252() {
    let mut points = dealt(3, 255);
    points[200] = point(201, points[199].y());
    let all: Vec<&Point> = points.iter().collect();
    assert_eq!(fault(check_all(&all[..3], &all[3..])), (201, ShareFault::OffPolynomial));
}

#[test]
fn check_wants_two_distinct_points() {
    let points = dealt(2, 3);
    assert_eq!(check(&[], &points[2]), Err(Error::NotEnoughShares { have: 0, need: 2 }));
    assert_eq!(check(&[&points[0]], &points[2]), Err(Error::NotEnoughShares { have: 1, need: 2 }));
    assert_eq!(fault(check(&[&points[0], &points[0]], &points[2])), (1, ShareFault::Duplicate));
    assert_eq!(check_all(&[&points[0], &points[1]], &[]), Ok(()));
}

#[test]
fn t058_t059_a_repeated_index_is_named() {
    let points = dealt(3, 5);
    for place in 0..4 {
        for twice in &points[..3] {
            for y in [*twice.y(), [0; 32]] {
                let again = point(twice.x().get(), &y);
                let mut given: Vec<&Point> = points[..3].iter().collect();
                given.insert(place, &again);
                assert_eq!(fault(combine(&given)), (twice.x().get(), ShareFault::Duplicate));
            }
        }
    }
}

#[test]
fn t060_indices_are_1_to_n_and_no_share_is_the_secret() {
    for (k, n) in [(2, 2), (2, 255), (128, 255), (255, 255)] {
        let points = dealt(k, n);
        assert!(points.iter().map(|point| point.x().get()).eq(1..=n));
        assert!(points.iter().all(|point| point.y() != &SECRET));
    }
}

#[test]
fn t067_limits_of_the_policy() {
    let limits = [0, 1, 2, 254, 255];
    for (k, n) in limits.into_iter().flat_map(|k| limits.map(|n| (k, n))) {
        let result = split(&SECRET, k, n, &mut Fixed(67));
        let allowed = [(2, 2), (2, 254), (2, 255), (254, 254), (254, 255), (255, 255)];
        if !allowed.contains(&(k, n)) {
            assert_eq!(result.unwrap_err(), Error::Usage(Usage::PolicyRange), "{k} of {n}");
            continue;
        }
        let points = result.unwrap();
        let last: Vec<&Point> = points.iter().rev().take(k.into()).collect();
        assert_eq!(combine(&last).unwrap().expose(), &SECRET, "{k} of {n}");
    }
}

#[test]
fn t067_a_refused_policy_draws_nothing() {
    let mut rng = Chosen(Some(&[]));
    assert!(split(&SECRET, 1, 1, &mut rng).is_err());
    assert!(rng.0.is_some());
}

/// Product modulo 0x11D, by Horner's rule on the bits of b.
fn times(a: u8, b: u8) -> u8 {
    (0..8).rev().fold(0_u16, |product, bit| {
        let doubled = product << 1 ^ if product & 0x80 == 0 { 0 } else { 0x11D };
        doubled ^ if b >> bit & 1 == 1 { u16::from(a) } else { 0 }
    }) as u8
}

fn over(a: u8, b: u8) -> u8 {
    (0..=255).find(|quotient| times(*quotient, b) == a).unwrap()
}

/// The counts of a million leading coefficients: `sum of y_i / product of (x_i - x_m)` over the first k shares.
fn leading_coefficients(k: u8, seed: u64) -> Vec<u32> {
    let xs = 1..=k;
    let scales: Vec<u8> = xs
        .clone()
        .map(|i| over(1, xs.clone().filter(|m| *m != i).fold(1, |product, m| times(product, i ^ m))))
        .collect();
    let table: Vec<[u8; 256]> = scales.iter().map(|scale| core::array::from_fn(|y| times(*scale, y as u8))).collect();
    let (mut counts, mut rng) = (vec![0; 256], Fixed(seed));
    for _ in 0..31_250 {
        let points = split(&SECRET, k, k, &mut rng).unwrap();
        for byte in 0..32 {
            let leading =
                points.iter().zip(&table).fold(0, |sum, (point, row)| sum ^ row[usize::from(point.y()[byte])]);
            counts[usize::from(leading)] += 1;
        }
    }
    counts
}

#[test]
fn t068_the_leading_coefficient_is_uniform_and_zero_once_in_256() {
    for (k, seed) in [(2, 0x6802), (3, 0x6803)] {
        let counts = leading_coefficients(k, seed);
        let expected = 1_000_000.0 / 256.0;
        let chi_square: f64 = counts.iter().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum();
        std::println!("k {k}, seed {seed:#x}: chi-square {chi_square:.1} of 255 degrees, {} zeros", counts[0]);
        // Mean 255, deviation 22.6; zeros: mean 3906, deviation 62.4. Five deviations either way.
        assert!((142.0..368.0).contains(&chi_square), "seed {seed:#x}: {chi_square}");
        assert!((3594..4219).contains(&counts[0]), "seed {seed:#x}: {}", counts[0]);
    }
}

/// 32 consecutive bytes from a multiple of 32 on.
fn block(number: usize) -> [u8; 32] {
    core::array::from_fn(|i| (number * 32 + i) as u8)
}

#[test]
fn t069_for_each_value_of_one_share_every_secret_is_equally_likely() {
    // times_seen[x][value][secret], over all 256 secrets and all 256 coefficients.
    let mut times_seen = vec![0_u8; 255 << 16];
    for (secret, number) in (0..256_usize).flat_map(|secret| (0..8).map(move |number| (secret, number))) {
        for point in split(&[secret as u8; 32], 2, 255, &mut Chosen(Some(&block(number)))).unwrap() {
            for value in point.y() {
                times_seen[usize::from(point.x().get() - 1) << 16 | usize::from(*value) << 8 | secret] += 1;
            }
        }
    }
    assert!(times_seen.iter().all(|times| *times == 1));
}

#[test]
fn t069_for_each_pair_of_values_of_two_shares_every_secret_is_equally_likely() {
    for secret in [0, 1, 0x80, 0xFF] {
        let mut times_seen = vec![0_u8; 3 << 16];
        for (c_1, number) in (0..=255_u8).flat_map(|c_1| (0..8).map(move |number| (c_1, number))) {
            let coefficients = [[c_1; 32], block(number)].concat();
            let points = split(&[secret; 32], 3, 3, &mut Chosen(Some(&coefficients))).unwrap();
            for (pair, (a, b)) in [(0, 1), (0, 2), (1, 2)].into_iter().enumerate() {
                for (a, b) in points[a].y().iter().zip(points[b].y()) {
                    times_seen[pair << 16 | usize::from(*a) << 8 | usize::from(*b)] += 1;
                }
            }
        }
        assert!(times_seen.iter().all(|times| *times == 1), "secret {secret}");
    }
}

#[test]
fn t085_a_failing_generator_is_an_error_and_one_draw_is_all() {
    assert_eq!(split(&SECRET, 3, 5, &mut Chosen(None)).unwrap_err(), Error::Randomness);
    for k in [2_u8, 3, 255] {
        let bytes = vec![k; (usize::from(k) - 1) * 32];
        split(&SECRET, k, 255, &mut Chosen(Some(&bytes))).unwrap();
        assert_eq!(split(&SECRET, k, 255, &mut Chosen(Some(&bytes[1..]))).unwrap_err(), Error::Randomness);
    }
}

const ORACLE_POLICIES: [(u8, u8); 8] = [(2, 2), (2, 3), (3, 5), (5, 8), (9, 17), (33, 64), (128, 255), (255, 255)];

#[test]
fn t057_blahaj_recovers_what_we_split() {
    for (k, n) in ORACLE_POLICIES {
        let points = dealt(k, n);
        let to_share =
            |point: &Point| Share::try_from([&[point.x().get()], &point.y()[..]].concat().as_slice()).unwrap();
        let shares: Vec<Share> = points.iter().rev().take(k.into()).map(to_share).collect();
        assert_eq!(Sharks(k).recover(&shares).unwrap(), SECRET, "{k} of {n}");
    }
}

#[test]
fn t057_we_recover_and_check_what_blahaj_dealt() {
    for (k, n) in ORACLE_POLICIES {
        let to_point = |share: Share| {
            let bytes = Vec::from(&share);
            point(bytes[0], bytes[1..].try_into().unwrap())
        };
        let points: Vec<Point> = Sharks(k).dealer_rng(&SECRET, &mut Fixed(57)).take(n.into()).map(to_point).collect();
        let points: Vec<&Point> = points.iter().rev().collect();
        let (first, further) = points.split_at(k.into());
        assert_eq!(combine(first).unwrap().expose(), &SECRET, "{k} of {n}");
        assert_eq!(check_all(first, further), Ok(()), "{k} of {n}");
    }
}

#[test]
fn debug_shows_no_value() {
    let points = dealt(2, 2);
    assert_eq!(format!("{:?}", points[1]), "Point { x: 2, .. }");
    let recovered = combine(&points.iter().collect::<Vec<_>>()).unwrap();
    assert_eq!(format!("{recovered:?}"), "Recovered { .. }");
    assert_eq!(recovered.into_secret().expose(), &SECRET);
}

fn policy_and_order() -> impl Strategy<Value = (u8, u8, Vec<u8>)> {
    (2..=255_u8).prop_flat_map(|n| (2..=n, Just(n), Just((1..=n).collect::<Vec<u8>>()).prop_shuffle()))
}

proptest! {
    #[test]
    fn t057_any_k_shares_in_any_order(secret: [u8; 32], seed: u64, (k, n, order) in policy_and_order()) {
        let points = split(&secret, k, n, &mut Fixed(seed)).unwrap();
        let came: Vec<&Point> = order.iter().map(|x| &points[usize::from(*x) - 1]).collect();
        let (enough, others) = came.split_at(k.into());
        let recovered = combine(enough).unwrap();
        prop_assert_eq!(recovered.expose(), &secret);
        prop_assert_eq!(check_all(enough, others), Ok(()));
    }
}
