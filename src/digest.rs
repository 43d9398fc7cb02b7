//! Names of 32 bytes: hashes, and the random id of a vault. A type of its own for each, so that none is taken for another.

use core::fmt;

/// 32 bytes that name one kind of thing, shown as 64 hexadecimal digits.
macro_rules! digest {
    ($(#[$doc:meta])* $vis:vis struct $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis struct $name(pub(crate) [u8; 32]);

        impl $name {
            /// The 32 bytes.
            #[must_use]
            $vis const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }
    };
    ($(#[$doc:meta])* $vis:vis struct $name:ident; $(#[$from:meta])+ from_bytes) => {
        digest!($(#[$doc])* $vis struct $name);

        impl $name {
            $(#[$from])+
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }
        }
    };
}

digest! {
    /// The 32 random bytes that name a vault in all of its objects.
    pub struct VaultId;
    /// Takes the 32 bytes, such as those of an invitation. They say which vault is meant, and prove nothing.
    from_bytes
}

digest! {
    /// The fingerprint of a descriptor, 32 bytes: what a client pins, and what people compare by voice or on paper.
    pub struct Fingerprint;
    /// Takes the 32 bytes that came by a trusted way.
    from_bytes
}

digest! {
    /// The fingerprint of a key that receives or signs, 32 bytes. For a member it covers id and both keys.
    pub struct KeyFingerprint;
    /// Takes 32 bytes, as a store keeps them.
    from_bytes
}

digest! {
    /// The id of a card, 32 bytes: a hash of its body, so it names one patient key and nobody.
    pub struct CardId;
    /// Takes 32 bytes, as a store keeps them.
    from_bytes
}

digest! {
    /// The context that a payload is bound to: where its text stands, or to whom it is disclosed.
    pub(crate) struct PayloadContextId
}

digest! {
    /// The digest by which a signature names a payload.
    pub(crate) struct PayloadDigest
}
