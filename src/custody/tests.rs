//! What a dealer or a pair of roots can make that the library never makes.

use alloc::vec::Vec;

use getrandom::SysRng;

use super::create::{NewVault, create, deal_next};
use super::descriptor::{Descriptor, PinnedDescriptor};
use super::pin::Pin;
use super::policy::Policy;
use super::recover::{Progress, Recovery};
use super::share::{Share, digest};
use crate::choice::Suite;
use crate::error::{Error, Result, ShareFault, Untrusted, Versioned};
use crate::keys::labels;
use crate::keys::registrar::RegistrarKey;
use crate::wire::rotation::Rotation;

fn pin(descriptor: &Descriptor) -> PinnedDescriptor {
    Pin::new(descriptor.fingerprint(), descriptor).unwrap().check(descriptor.clone()).unwrap()
}

fn found(policy: Policy) -> (RegistrarKey, NewVault) {
    let registrar = RegistrarKey::generate(&mut SysRng).unwrap();
    let vault = create(policy, Suite::X25519, &registrar.public(), &mut SysRng).unwrap();
    (registrar, vault)
}

/// A dealer lists the digest of another share than the one that lies on the polynomial, and hands that one out.
fn misdealt(policy: Policy, wrong: &[u8]) -> (PinnedDescriptor, Vec<Vec<u8>>) {
    let (_, NewVault { descriptor, shares, .. }) = found(policy);
    let mut shares: Vec<Vec<u8>> = shares.iter().map(|share| share.to_bytes().expose().to_vec()).collect();
    let mut bytes = descriptor.as_bytes().to_vec();
    let digests = bytes.len() - 32 * shares.len();
    for x in wrong {
        let at = usize::from(*x) - 1;
        shares[at][50] ^= x;
        let point = Share::from_bytes(&shares[at]).unwrap().into_point();
        let listed = digest(&descriptor.vault(), descriptor.generation(), &point);
        bytes[digests + 32 * at..][..32].copy_from_slice(&listed);
    }
    (pin(&Descriptor::parse(&bytes).unwrap()), shares)
}

fn give(recovery: &mut Recovery<'_>, shares: &[Vec<u8>], xs: &[u8]) {
    for x in xs {
        recovery.add(Share::from_bytes(&shares[usize::from(*x) - 1]).unwrap()).unwrap();
    }
}

/// A share that is the dealt one, and does not lie on the polynomial, is named; the others open the vault without it.
#[test]
fn one_misdealt_share_is_named_and_costs_nobody_the_others() {
    let (pinned, shares) = misdealt(Policy::new(3, 5).unwrap(), &[2]);
    let off = Error::Share { index: 2, reason: ShareFault::OffPolynomial };
    // Among the first k, among the further ones, and in the last place.
    for order in [[1, 2, 3, 4], [2, 3, 4, 5], [1, 3, 4, 2], [5, 4, 2, 1]] {
        let mut recovery = Recovery::new(&pinned);
        give(&mut recovery, &shares, &order);
        assert_eq!(recovery.finish().unwrap_err(), off, "{order:?}");
        assert_eq!(recovery.progress(), Progress { have: 4, need: 3 }, "nothing is thrown away");
        assert_eq!(recovery.remove(9), Progress { have: 4, need: 3 });
        assert_eq!(recovery.remove(2), Progress { have: 3, need: 3 });
        assert_eq!(recovery.finish().unwrap().fingerprint(), pinned.master_fingerprint());
    }
    // With k shares nobody can say which one is wrong. They stay, and one more tells.
    let mut recovery = Recovery::new(&pinned);
    give(&mut recovery, &shares, &[1, 2, 3]);
    assert_eq!(recovery.finish().unwrap_err(), Untrusted::MasterKey.into());
    give(&mut recovery, &shares, &[5]);
    assert_eq!(recovery.finish().unwrap_err(), off);
    recovery.remove(2);
    assert!(recovery.finish().is_ok());
}

/// Two misdealt shares: no single one can be named, and nothing is handed out.
#[test]
fn two_misdealt_shares_give_no_key() {
    let (pinned, shares) = misdealt(Policy::new(3, 5).unwrap(), &[1, 2]);
    let mut recovery = Recovery::new(&pinned);
    give(&mut recovery, &shares, &[1, 2, 3, 4]);
    assert_eq!(recovery.finish().unwrap_err(), Untrusted::MasterKey.into());
    recovery.remove(1);
    give(&mut recovery, &shares, &[5]);
    assert_eq!(recovery.finish().unwrap_err(), Error::Share { index: 2, reason: ShareFault::OffPolynomial });
    recovery.remove(2);
    assert!(recovery.finish().is_ok());
}

/// Both roots sign a statement whose generation, or whose descriptor's, is not the next one.
#[test]
fn a_statement_and_its_descriptor_are_of_the_next_generation() {
    let policy = Policy::new(2, 3).unwrap();
    let (registrar, first) = found(policy);
    let old = pin(&first.descriptor);
    let next = |from: &PinnedDescriptor| deal_next(from, policy, &registrar.public(), &mut SysRng).unwrap();
    let second = next(&old);
    let third = next(&pin(&second.descriptor));
    let verify = |to: &NewVault, generation: u32| -> Result<()> {
        let (old_print, new_print) = (old.fingerprint(), to.descriptor.fingerprint());
        let vault = old.vault();
        let statement =
            Rotation { vault, generation, old: old_print, new: new_print, roster_version: 2, roster_digest: [1; 32] };
        let body = statement.encode_body();
        let signatures = [&first.master.root, &to.master.root].map(|root| root.sign(labels::ROTATION, &body));
        let bytes = [&body, signatures.as_flattened()].concat();
        old.successor([(to.descriptor.as_bytes(), bytes.as_slice())]).map(drop)
    };
    assert_eq!(verify(&second, 2), Ok(()));
    let stale = |met| Err(Error::Stale { what: Versioned::Generation, known: 1, met });
    assert_eq!(verify(&second, 3), stale(2), "a statement about another generation than its descriptor's");
    assert_eq!(verify(&third, 2), stale(3), "a descriptor of another generation than its statement's");
    assert_eq!(verify(&third, 3), stale(3), "a generation is left out");
}
