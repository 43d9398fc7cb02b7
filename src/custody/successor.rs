//! From one generation to the next: the statement of both roots, and how a client follows it.

use alloc::vec::Vec;

use super::create::NewVault;
use super::descriptor::{Descriptor, PinnedDescriptor};
use super::pin::Pin;
use crate::digest::Fingerprint;
use crate::error::{Conflict, Error, Result, Untrusted, Usage, Versioned};
use crate::ident::Scope;
use crate::keys::labels;
use crate::keys::master::MasterKey;
use crate::wire::frame::Framed;
use crate::wire::rotation::Rotation;

/// `body || Sign(old root, "rotation", body) || Sign(new root, "rotation", body)`, 272 bytes.
///
/// # Errors
/// [`Usage::WrongSigner`] if the old master key is not the pinned descriptor's.
pub(crate) fn announce(
    old: &PinnedDescriptor,
    old_master: &MasterKey,
    next: &NewVault,
    (roster_version, roster_digest): (u64, [u8; 32]),
) -> Result<Vec<u8>> {
    require_root(old, old_master)?;
    let body = Rotation {
        vault: old.vault(),
        generation: next.descriptor.generation(),
        old: old.fingerprint(),
        new: next.descriptor.fingerprint(),
        roster_version,
        roster_digest,
    }
    .encode_body();
    let signatures = [&old_master.root, &next.master.root].map(|root| root.sign(labels::ROTATION, &body));
    Ok([&body, signatures.as_flattened()].concat())
}

/// Refuses a master key that is not the pinned generation's.
pub(crate) fn require_root(descriptor: &PinnedDescriptor, master: &MasterKey) -> Result<()> {
    if master.root.verifying_key() == descriptor.root_key { Ok(()) } else { Err(Usage::WrongSigner.into()) }
}

/// The next generation of a vault, as the old and the new root signed it. Nothing uses it until a client follows:
/// [`Pin::follow`] consumes it.
#[derive(Debug)]
pub struct Successor {
    from: Fingerprint,
    descriptor: Descriptor,
    roster: (u64, [u8; 32]),
}

impl Successor {
    /// The fingerprint of the next descriptor, to be compared with what the custodians say.
    #[must_use]
    pub const fn fingerprint(&self) -> Fingerprint {
        self.descriptor.fingerprint()
    }

    /// The next generation.
    #[must_use]
    pub const fn generation(&self) -> u32 {
        self.descriptor.generation()
    }
}

impl PinnedDescriptor {
    /// Looks for the generation after this one among descriptors and rotation statements, in pairs, as they are stored.
    ///
    /// Pairs that do not follow from this descriptor are passed over as long as there is one that does.
    ///
    /// # Errors
    /// [`Usage::NoSuccessor`] if there is no pair at all; the first pair's fault if none is valid:
    /// [`Error::Malformed`], [`Usage::WrongVault`], [`Usage::WrongSuite`], [`Error::Stale`] for any generation but the
    /// next, [`Untrusted::Fingerprint`], [`Untrusted::RotationSignature`]. [`Conflict::Successors`] if two are valid:
    /// then custodians of both must be heard.
    pub fn successor<'a>(&self, candidates: impl IntoIterator<Item = (&'a [u8], &'a [u8])>) -> Result<Successor> {
        let mut found: Option<Successor> = None;
        let mut fault = Error::Usage(Usage::NoSuccessor);
        for (descriptor, statement) in candidates {
            match (self.verify_successor(descriptor, statement), &found) {
                (Ok(next), None) => found = Some(next),
                (Ok(next), Some(first)) if next.fingerprint() != first.fingerprint() => {
                    let (first, second) = (first.fingerprint(), next.fingerprint());
                    return Err(Error::Conflict(Conflict::Successors { first, second }));
                }
                (Err(error), _) if fault == Error::Usage(Usage::NoSuccessor) => fault = error,
                _ => {}
            }
        }
        found.ok_or(fault)
    }

    fn verify_successor(&self, descriptor: &[u8], statement: &[u8]) -> Result<Successor> {
        // 1. The statement is about this descriptor and the one at hand, of the same vault and suite.
        let Framed { value: rotation, body, end: [by_old, by_new] } = Rotation::parse(statement)?;
        let descriptor = Descriptor::parse(descriptor)?;
        self.scope().require(descriptor.scope())?;
        self.scope().require(Scope { vault: rotation.vault, ..self.scope() })?;
        for (pinned, met) in [(self.fingerprint(), rotation.old), (rotation.new, descriptor.fingerprint())] {
            if pinned != met {
                return Err(Untrusted::Fingerprint { pinned, met }.into());
            }
        }
        // 2. The generation is exactly one higher.
        let next = self.generation().checked_add(1);
        if next != Some(rotation.generation) || next != Some(descriptor.generation()) {
            let (known, met) = (self.generation().into(), descriptor.generation().into());
            return Err(Error::Stale { what: Versioned::Generation, known, met });
        }
        // 3. Both roots signed it.
        let roots = [(&self.root_key, by_old, self.generation()), (&descriptor.root_key, by_new, rotation.generation)];
        for (key, signature, generation) in roots {
            if !key.verify(labels::ROTATION, body, &signature) {
                return Err(Untrusted::RotationSignature { generation }.into());
            }
        }
        Ok(Successor {
            from: self.fingerprint(),
            descriptor,
            roster: (rotation.roster_version, rotation.roster_digest),
        })
    }
}

impl Pin {
    /// Moves forward to the next generation: an explicit act, once for each generation, and never back. Store the pin.
    ///
    /// # Errors
    /// [`Untrusted::Fingerprint`] if it is not the successor of the pinned generation; the pin is unchanged then.
    pub fn follow(&mut self, successor: Successor) -> Result<PinnedDescriptor> {
        let (pinned, met) = (self.fingerprint(), successor.from);
        if pinned != met {
            return Err(Untrusted::Fingerprint { pinned, met }.into());
        }
        self.move_to(&successor.descriptor, successor.roster);
        Ok(PinnedDescriptor::new(successor.descriptor))
    }
}
