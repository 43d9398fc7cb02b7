//! What a session is for.

/// Why somebody works with patients' notes: a kind, and the person's own words, which name no patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purpose {
    kind: PurposeKind,
    words: String,
}

/// The kinds of purposes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PurposeKind {
    /// The patient's care.
    Care,
    /// Supervision of the person who cares.
    Supervision,
    /// The quality of care.
    Quality,
    /// The patient asked for it.
    PatientsRequest,
    /// An authority asked for it.
    Authority,
    /// Work on the system itself.
    Technical,
    /// An emergency.
    Emergency,
}

impl Purpose {
    /// A purpose of any kind.
    #[must_use]
    pub fn new(kind: PurposeKind, words: impl Into<String>) -> Self {
        Self { kind, words: words.into() }
    }

    /// The patient's care.
    ///
    /// ```
    /// let purpose = lukko_clinic::Purpose::care("appointment");
    /// assert_eq!(purpose.words(), "appointment");
    /// ```
    #[must_use]
    pub fn care(words: impl Into<String>) -> Self {
        Self::new(PurposeKind::Care, words)
    }

    /// The kind.
    #[must_use]
    pub const fn kind(&self) -> PurposeKind {
        self.kind
    }

    /// The person's own words.
    #[must_use]
    pub fn words(&self) -> &str {
        &self.words
    }
}
