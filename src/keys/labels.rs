//! The label registry: every hash, HKDF info and signature input of the format starts with one of these.
//!
//! Each label is used for one purpose. FORMAT.md lists the same names.

use crate::prim::label::Label;

/// Hash: the fingerprint of a descriptor.
pub(crate) const DESCRIPTOR_FINGERPRINT: Label = Label::new("lukko/v1 descriptor fingerprint");
/// Hash: the digest of a share in the descriptor.
pub(crate) const SHARE_DIGEST: Label = Label::new("lukko/v1 share digest");
/// Hash: the checksum of a stored pin.
pub(crate) const PIN_CHECKSUM: Label = Label::new("lukko/v1 pin checksum");
/// Hash: the fingerprint of a master key.
pub(crate) const MASTER_FINGERPRINT: Label = Label::new("lukko/v1 master key fingerprint");
/// Hash: the fingerprint of a member's keys.
pub(crate) const MEMBER_FINGERPRINT: Label = Label::new("lukko/v1 member key fingerprint");
/// Hash: the digest by which a roster names the one before it.
pub(crate) const ROSTER_DIGEST: Label = Label::new("lukko/v1 roster digest");
/// Hash: the id of a card.
pub(crate) const CARD_ID: Label = Label::new("lukko/v1 card id");
/// Hash: the digest of a master grant in an endorsement.
pub(crate) const MASTER_GRANT_DIGEST: Label = Label::new("lukko/v1 master grant digest");
/// Hash: the context that a payload is bound to.
pub(crate) const PAYLOAD_CONTEXT: Label = Label::new("lukko/v1 payload context");
/// Hash: the payload of a deposit, as its writer signs it.
pub(crate) const PAYLOAD_DIGEST: Label = Label::new("lukko/v1 payload digest");
/// Hash: the sealed record key of a deposit, as its writer signs it.
pub(crate) const SEALED_KEY_DIGEST: Label = Label::new("lukko/v1 sealed key digest");
/// Hash: the text of a deposit or disclosure, which hedges its draw.
pub(crate) const TEXT_DIGEST: Label = Label::new("lukko/v1 text digest");
/// Hash: the context that the payload of a disclosure is bound to.
pub(crate) const DISCLOSURE_CONTEXT: Label = Label::new("lukko/v1 disclosure context");
/// Hash: the fingerprint of the key that a disclosure is sealed to.
pub(crate) const RECIPIENT_FINGERPRINT: Label = Label::new("lukko/v1 recipient key fingerprint");

/// HKDF: the private HPKE key of a master secret.
pub(crate) const MASTER_HPKE: Label = Label::new("lukko/v1 master hpke");
/// HKDF: the root signing key of a master secret.
pub(crate) const MASTER_ROOT: Label = Label::new("lukko/v1 master root");
/// HKDF: the signing key of a registrar's seed.
pub(crate) const REGISTRAR_SIGNING: Label = Label::new("lukko/v1 registrar signing");
/// HKDF: the private HPKE key of a member's seed.
pub(crate) const MEMBER_HPKE: Label = Label::new("lukko/v1 member hpke");
/// HKDF: the signing key of a member's seed.
pub(crate) const MEMBER_SIGNING: Label = Label::new("lukko/v1 member signing");
/// HKDF: the key-encryption key of a patient secret.
pub(crate) const PATIENT_KEK: Label = Label::new("lukko/v1 patient kek");
/// HKDF: the private HPKE key of a patient secret.
pub(crate) const PATIENT_HPKE: Label = Label::new("lukko/v1 patient hpke");
/// HKDF: the succession signing key of a patient secret.
pub(crate) const PATIENT_SUCCESSION: Label = Label::new("lukko/v1 patient succession");
/// HKDF: record key, salt and wrap nonce from one draw of randomness.
pub(crate) const RECORD_DRAW: Label = Label::new("lukko/v1 record draw");
/// HKDF: record key and salt of a deposit.
pub(crate) const DEPOSIT_DRAW: Label = Label::new("lukko/v1 deposit draw");
/// HKDF: record key and salt of a deposited attachment, whose text is not known yet.
#[cfg(feature = "std")]
pub(crate) const DEPOSITED_ATTACHMENT_DRAW: Label = Label::new("lukko/v1 deposited attachment draw");
/// HKDF: key and salt of a disclosure.
pub(crate) const DISCLOSURE_DRAW: Label = Label::new("lukko/v1 disclosure draw");
/// HKDF: the nonce under which a record key is wrapped again.
pub(crate) const WRAP_NONCE: Label = Label::new("lukko/v1 wrap nonce");
/// HKDF: the private HPKE key of the seed of someone outside who receives disclosures.
pub(crate) const RECIPIENT_HPKE: Label = Label::new("lukko/v1 recipient hpke");

/// Signature: a member entry, by its own key.
pub(crate) const MEMBER_ENTRY: Label = Label::new("lukko/v1 member entry");
/// Signature: a roster, by the registrar or the root.
pub(crate) const ROSTER: Label = Label::new("lukko/v1 roster");
/// Signature: an endorsement, by an enroller or the root.
pub(crate) const ENDORSEMENT: Label = Label::new("lukko/v1 endorsement");
/// Signature: the next card, by the succession key of the card before.
pub(crate) const SUCCESSION: Label = Label::new("lukko/v1 succession");
/// Signature: a deposit, by its writer.
pub(crate) const DEPOSIT: Label = Label::new("lukko/v1 deposit");
/// Signature: a disclosure, by the member who hands it out.
pub(crate) const DISCLOSURE: Label = Label::new("lukko/v1 disclosure");
/// Signature: the next generation, by the old root and by the new one.
pub(crate) const ROTATION: Label = Label::new("lukko/v1 rotation");

/// HPKE info: a grant.
pub(crate) const GRANT: Label = Label::new("lukko/v1 grant");
/// Associated data: a record key wrapped on the reader's path.
pub(crate) const READER_WRAP: Label = Label::new("lukko/v1 reader wrap");
/// HPKE info, and part of what its writer signs: the record key of a deposit.
pub(crate) const DEPOSIT_WRAP: Label = Label::new("lukko/v1 deposit wrap");
/// Associated data: the record key of an absorbed deposit.
pub(crate) const ABSORBED_WRAP: Label = Label::new("lukko/v1 absorbed wrap");
/// HPKE info, and part of what is signed: the key of a disclosure.
pub(crate) const DISCLOSURE_WRAP: Label = Label::new("lukko/v1 disclosure wrap");

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;
    use std::collections::BTreeSet;

    /// T012: the labels of this file, read from its source, are distinct, short and none is a prefix of another
    /// in its length-prefixed form.
    #[test]
    fn t012_labels_are_distinct_and_short() {
        let source = include_str!("labels.rs");
        let marker = "Label::new(\"";
        let labels: Vec<&str> = source
            .split("#[cfg(test)]")
            .next()
            .unwrap()
            .split(marker)
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap())
            .collect();
        assert_eq!(labels.len(), 40);
        assert!(labels.iter().all(|label| label.len() < 256 && label.starts_with("lukko/v1 ")));
        assert_eq!(labels.iter().collect::<BTreeSet<_>>().len(), labels.len());
    }
}
