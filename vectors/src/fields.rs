//! Where the fields of each object lie, from the tables of docs/FORMAT.md.

use lukko::Suite;

/// A field: its name, and where it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) start: usize,
    pub(crate) len: usize,
}

/// Fields one behind the other.
#[derive(Debug, Default)]
struct Table {
    at: usize,
    fields: Vec<Field>,
}

impl Table {
    fn of(fields: &[(&'static str, usize)]) -> Self {
        let mut table = Self::default();
        table.push(fields);
        table
    }

    fn push(&mut self, fields: &[(&'static str, usize)]) {
        for (name, len) in fields {
            self.fields.push(Field { name, start: self.at, len: *len });
            self.at += len;
        }
    }

    /// An identifier, whose length byte is a field too.
    fn identifier(&mut self, bytes: &[u8], length: &'static str, name: &'static str) {
        let len = bytes[self.at].into();
        self.push(&[(length, 1), (name, len)]);
    }

    fn sealed(&mut self, suite: Suite) {
        if suite == Suite::XWing {
            self.push(&[("encapsulation, ML-KEM", 1088)]);
        }
        self.push(&[("encapsulation", 32), ("sealed secret", 32), ("sealed tag", 16)]);
    }

    fn payload(&mut self, end: usize) {
        self.push(&[("salt", 24), ("commitment", 32)]);
        self.push(&[("chunk", end - 16 - self.at), ("chunk tag", 16)]);
    }

    /// One HPKE key, in the parts that the suite has.
    fn key(&mut self, suite: Suite, name: &'static str) {
        self.push(&[(name, suite.public_key_len())]);
    }
}

const START: [(&str, usize); 3] = [("magic", 4), ("suite", 2), ("vault id", 32)];

pub(crate) fn descriptor(suite: Suite, bytes: &[u8]) -> Vec<Field> {
    let mut table = Table::of(&START);
    table.push(&[("generation", 4), ("k", 1), ("n", 1)]);
    table.key(suite, "master key");
    table.push(&[("root key", 32), ("registrar key", 32)]);
    table.push(&[("share digests", bytes.len() - table.at)]);
    table.fields
}

pub(crate) fn share() -> Vec<Field> {
    let start = [("magic", 4), ("vault id", 32), ("generation", 4)];
    let mut table = Table::of(&start);
    table.push(&[("k", 1), ("n", 1), ("x", 1), ("y", 32)]);
    table.fields
}

pub(crate) fn pin() -> Vec<Field> {
    let mut table = Table::of(&[("magic", 4), ("fingerprint", 32), ("generation", 4), ("roster version", 8)]);
    table.push(&[("roster digest", 32), ("checksum", 32)]);
    table.fields
}

pub(crate) fn member(suite: Suite, bytes: &[u8]) -> Vec<Field> {
    let mut table = Table::of(&START);
    table.identifier(bytes, "member id's length", "member id");
    table.key(suite, "hpke key");
    table.push(&[("signing key", 32), ("signature", 64)]);
    table.fields
}

/// Of a roster with at least one key and one closed card.
pub(crate) fn roster(bytes: &[u8]) -> Vec<Field> {
    let mut table = Table::of(&[("magic", 4), ("vault id", 32), ("generation", 4), ("version", 8), ("previous", 32)]);
    table.push(&[("signer", 1), ("key count", 4)]);
    let count = usize::from(bytes[table.at - 1]);
    table.push(&[("key's fingerprint", 32), ("key's roles", 1), ("key's status", 1)]);
    table.at += (count - 1) * 34;
    table.push(&[("closed count", 4)]);
    let count = usize::from(bytes[table.at - 1]);
    table.push(&[("closed card", 32), ("closed reason", 1)]);
    table.at += (count - 1) * 33;
    table.push(&[("signature", 64)]);
    table.fields
}

pub(crate) fn card(suite: Suite, bytes: &[u8]) -> Vec<Field> {
    let mut table = Table::of(&START);
    table.identifier(bytes, "patient id's length", "patient id");
    table.push(&[("version", 4)]);
    table.key(suite, "hpke key");
    table.push(&[("succession key", 32), ("previous card", 32), ("voucher", 1)]);
    if table.at < bytes.len() {
        table.push(&[("voucher's signature", 64)]);
    }
    table.fields
}

pub(crate) fn grant(suite: Suite, bytes: &[u8]) -> Vec<Field> {
    let mut table = Table::of(&START);
    table.push(&[("card id", 32), ("recipient", 1)]);
    if bytes[table.at - 1] == 1 {
        table.push(&[("generation", 4)]);
    }
    table.push(&[("recipient's fingerprint", 32)]);
    table.sealed(suite);
    table.fields
}

pub(crate) fn endorsement(bytes: &[u8]) -> Vec<Field> {
    let mut table = Table::of(&[("magic", 4), ("vault id", 32), ("card id", 32), ("generation", 4)]);
    table.push(&[("master grant digest", 32), ("roster version seen", 8), ("endorser", 1)]);
    if bytes[table.at - 1] == 1 {
        table.push(&[("endorser's fingerprint", 32)]);
    }
    table.push(&[("signature", 64)]);
    table.fields
}

pub(crate) fn record(suite: Suite, bytes: &[u8]) -> Vec<Field> {
    let mut table = Table::of(&[("magic", 4), ("suite", 2), ("path", 1), ("card id", 32)]);
    table.push(&[("revision", 8), ("padding", 1)]);
    let wrapped = [("wrap nonce", 24), ("wrapped key", 32), ("wrap tag", 16)];
    let mut end = bytes.len();
    match bytes[6] {
        1 => table.push(&wrapped),
        3 => {
            table.push(&[("origin's card id", 32), ("writer", 32), ("roster version seen", 8)]);
            table.push(&[("sealed key digest", 32), ("signature", 64)]);
            table.push(&wrapped);
        }
        path => {
            table.push(&[("writer", 32), ("roster version seen", 8)]);
            table.sealed(suite);
            if path == 2 {
                table.push(&[("signature", 64)]);
            } else {
                end -= 96;
            }
        }
    }
    table.payload(end);
    if bytes[6] == 4 {
        table.push(&[("payload digest", 32), ("signature", 64)]);
    }
    table.fields
}

pub(crate) fn rotation() -> Vec<Field> {
    let mut table = Table::of(&[("magic", 4), ("vault id", 32), ("generation", 4), ("old fingerprint", 32)]);
    table.push(&[("new fingerprint", 32), ("roster version", 8), ("roster digest", 32)]);
    table.push(&[("old root's signature", 64), ("new root's signature", 64)]);
    table.fields
}

pub(crate) fn disclosure(suite: Suite, bytes: &[u8]) -> Vec<Field> {
    let mut table = Table::of(&START);
    table.push(&[("recipient", 32), ("signer", 32), ("roster version seen", 8)]);
    table.sealed(suite);
    table.push(&[("signature", 64)]);
    table.payload(bytes.len());
    table.fields
}

/// Of the text inside a disclosure, up to the writer's kind.
pub(crate) fn inner(bytes: &[u8]) -> Vec<Field> {
    let mut table = Table::of(&[("magic", 4)]);
    table.identifier(bytes, "patient id's length", "patient id");
    table.identifier(bytes, "record id's length", "record id");
    table.identifier(bytes, "field's length", "field");
    table.push(&[("revision", 8), ("writer", 1)]);
    table.fields
}
