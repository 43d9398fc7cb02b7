//! The check of what ends in a signature.

use crate::prim::label::Label;
use crate::prim::sign::VerifyingKey;
use crate::wire::frame::Signed;

impl<T> Signed<'_, T> {
    /// `Ed25519-Verify(key, lp(label) || body, signature)`.
    #[must_use]
    pub(crate) fn verify(&self, key: &VerifyingKey, label: Label) -> bool {
        key.verify(label, self.body, &self.end)
    }
}
