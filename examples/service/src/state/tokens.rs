//! Who calls: bearer tokens, as a stand-in for the clinic's own sign-in.
//!
//! A token is 32 random bytes in hexadecimal. The service keeps its SHA-256 only: whoever reads the file cannot sign in,
//! and a slow hash is not needed because nobody guesses 256 random bits.

use std::fmt;
use std::str::FromStr;

use lukko::rand_core::TryCryptoRng;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroizing;

use crate::Failure;
use crate::hex::{hex, unhex};

/// What a caller may do at all. What a member may do, the vault's roster says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Therapist,
    Intake,
    Custodian,
}

const ROLES: [(Role, &str); 3] =
    [(Role::Therapist, "therapist"), (Role::Intake, "intake"), (Role::Custodian, "custodian")];

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        ROLES.iter().find(|(role, _)| role == self).map_or(Ok(()), |(_, name)| f.write_str(name))
    }
}

impl FromStr for Role {
    type Err = Failure;

    fn from_str(name: &str) -> Result<Self, Failure> {
        let found = ROLES.iter().find(|(_, known)| *known == name);
        found.map(|(role, _)| *role).ok_or_else(|| format!("unknown role {name}").into())
    }
}

/// Someone who signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) name: String,
    pub(crate) role: Role,
}

/// Everyone who can sign in, and the hashes of their tokens.
#[derive(Debug)]
pub(crate) struct Tokens(Vec<(Caller, [u8; 32])>);

impl Tokens {
    /// Draws a token, and gives the line for the file.
    pub(crate) fn draw(
        name: &str,
        role: Role,
        rng: &mut impl TryCryptoRng,
    ) -> Result<(Zeroizing<String>, String), Failure> {
        let mut bytes = Zeroizing::new([0; 32]);
        rng.try_fill_bytes(bytes.as_mut_slice()).map_err(|_| "the random number generator failed")?;
        let token = Zeroizing::new(hex(bytes.as_slice()));
        let line = format!("{name} {role} {}\n", hex(&hash(&token)));
        Ok((token, line))
    }

    /// Reads the file: a name, a role and a hash in each line.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let of = |hash: &str| unhex(hash)?.try_into().ok();
        let line = |line: &str| {
            let mut words = line.split(' ');
            let (Some(name), Some(role), Some(hash), None) = (words.next(), words.next(), words.next(), words.next())
            else {
                return Err("a line of `tokens` has a name, a role and a hash".into());
            };
            Ok((Caller { name: name.to_owned(), role: role.parse()? }, of(hash).ok_or("not a hash in `tokens`")?))
        };
        text.lines().map(line).collect::<Result<_, Failure>>().map(Self)
    }

    /// Finds whose token this is. Every line is compared, in constant time, whether one was found or not.
    pub(crate) fn find(&self, token: &str) -> Option<&Caller> {
        let given = hash(token);
        let (mut found, mut index) = (Choice::from(0), 0_u64);
        for (number, (_, expected)) in (0_u64..).zip(&self.0) {
            let same = given.ct_eq(expected);
            index = u64::conditional_select(&index, &number, same);
            found |= same;
        }
        let (caller, _) = self.0.get(usize::try_from(index).ok()?)?;
        bool::from(found).then_some(caller)
    }
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}
