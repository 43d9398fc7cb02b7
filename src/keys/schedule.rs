//! The key schedule: every derived key is `HKDF-Expand-SHA256(secret, lp(label) || context, 32)`.

use crate::ident::{MemberId, PatientId, Scope};
use crate::prim::hkdf::expand_labelled;
use crate::prim::label::Label;
use crate::secret::Secret;

/// Keys of a master secret: context = suite || vault id || generation.
pub(crate) fn master(secret: &Secret<32>, label: Label, scope: Scope, generation: u32) -> Secret<32> {
    derive(secret, label, [&scope.to_bytes(), &generation.to_be_bytes()])
}

/// Keys of a member's seed: context = suite || vault id || lp(member id). One seed gives unrelated keys in two vaults
/// and under two ids, so that a revoked key cannot come back under another id by accident.
pub(crate) fn member(seed: &Secret<32>, label: Label, scope: Scope, id: MemberId<'_>) -> Secret<32> {
    derive(seed, label, [&scope.to_bytes(), &id.0.lp(), id.as_bytes()])
}

/// The key of a registrar's seed, which exists before any vault: no context.
pub(crate) fn registrar(seed: &Secret<32>, label: Label) -> Secret<32> {
    derive(seed, label, [])
}

/// What the keys of a patient secret are derived for: suite || vault id || lp(patient id) || version.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PatientContext<'a> {
    pub(crate) scope: Scope,
    pub(crate) patient: PatientId<'a>,
    pub(crate) version: u32,
}

/// Keys of a patient secret.
pub(crate) fn patient(secret: &Secret<32>, label: Label, context: &PatientContext<'_>) -> Secret<32> {
    let PatientContext { scope, patient, version } = context;
    derive(secret, label, [&scope.to_bytes(), &patient.0.lp(), patient.as_bytes(), &version.to_be_bytes()])
}

fn derive<const PARTS: usize>(secret: &Secret<32>, label: Label, context: [&[u8]; PARTS]) -> Secret<32> {
    Secret::filled(|key| expand_labelled(secret.expose(), label, context, key))
}
