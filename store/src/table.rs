//! The tables, and the few statements that are made of them: each names whole keys or the beginning of one.
//!
//! Every key begins with the vault, and where there is one, the patient: the shard key of `docs/SCALING.md`.

/// One value of a row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    Null,
    Int(i64),
    Bytes(Vec<u8>),
}

/// The values of a row: those of the key, then the others.
pub(crate) type Row = Vec<Value>;

/// A table: its columns in order, of which the first make the primary key.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    pub(crate) name: &'static str,
    /// How many columns the primary key has.
    pub(crate) key: usize,
    /// Name and type, as in the migrations.
    pub(crate) columns: &'static [(&'static str, Kind)],
}

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Int,
    Bytes,
}

use Kind::{Bytes, Int};

pub(crate) const GENERATION: Table = Table {
    name: "generation",
    key: 2,
    columns: &[
        ("vault", Bytes),
        ("generation", Int),
        ("descriptor", Bytes),
        ("statement", Bytes),
        ("version", Int),
        ("roster", Bytes),
        ("retired", Int),
    ],
};
pub(crate) const MEMBER: Table =
    Table { name: "member", key: 2, columns: &[("vault", Bytes), ("member", Bytes), ("entry", Bytes)] };
pub(crate) const PATIENT: Table = Table {
    name: "patient",
    key: 2,
    columns: &[("vault", Bytes), ("patient", Bytes), ("version", Int), ("card", Bytes)],
};
pub(crate) const CARD: Table = Table {
    name: "card",
    key: 3,
    columns: &[("vault", Bytes), ("patient", Bytes), ("version", Int), ("card", Bytes), ("bytes", Bytes)],
};
pub(crate) const ENDORSEMENT: Table = Table {
    name: "endorsement",
    key: 3,
    columns: &[
        ("vault", Bytes),
        ("patient", Bytes),
        ("generation", Int),
        ("card", Bytes),
        ("endorsement", Bytes),
        ("master_grant", Bytes),
    ],
};
/// Generation 0 is a grant to a member; any other one an older card's master grant, whose recipient is empty.
pub(crate) const GRANT: Table = Table {
    name: "patient_grant",
    key: 5,
    columns: &[
        ("vault", Bytes),
        ("patient", Bytes),
        ("card", Bytes),
        ("generation", Int),
        ("recipient", Bytes),
        ("bytes", Bytes),
    ],
};
pub(crate) const RECORD: Table = Table {
    name: "record",
    key: 4,
    columns: &[
        ("vault", Bytes),
        ("patient", Bytes),
        ("record", Bytes),
        ("field", Bytes),
        ("revision", Int),
        ("card", Bytes),
        ("sealed", Bytes),
        ("object", Bytes),
        ("length", Int),
    ],
};
pub(crate) const ERASURE: Table = Table {
    name: "erasure",
    key: 2,
    columns: &[("vault", Bytes), ("erasure", Bytes), ("roster_version", Int), ("at", Int), ("scrubbed", Int)],
};
pub(crate) const ERASURE_PART: Table = Table {
    name: "erasure_part",
    key: 4,
    columns: &[("vault", Bytes), ("erasure", Bytes), ("kind", Int), ("subject", Bytes), ("at", Int)],
};
pub(crate) const OBJECT: Table =
    Table { name: "unnamed_object", key: 2, columns: &[("vault", Bytes), ("object", Bytes), ("since", Int)] };
pub(crate) const JOB: Table =
    Table { name: "job", key: 2, columns: &[("vault", Bytes), ("job", Bytes), ("kind", Int)] };
pub(crate) const PIECE: Table = Table {
    name: "job_piece",
    key: 3,
    columns: &[
        ("vault", Bytes),
        ("patient", Bytes),
        ("job", Bytes),
        ("state", Int),
        ("lease", Int),
        ("token", Int),
        ("reason", Bytes),
    ],
};

/// Every table with objects of vaults.
pub(crate) const TABLES: [&Table; 12] = [
    &GENERATION,
    &MEMBER,
    &PATIENT,
    &CARD,
    &ENDORSEMENT,
    &GRANT,
    &RECORD,
    &ERASURE,
    &ERASURE_PART,
    &OBJECT,
    &JOB,
    &PIECE,
];

impl Table {
    /// The columns that a distributed database places rows by.
    pub(crate) fn shard_key(&self) -> &'static str {
        if self.columns.get(1).is_some_and(|(name, _)| *name == "patient") { "vault, patient" } else { "vault" }
    }

    fn names(&self, from: usize, to: usize) -> String {
        let names: Vec<&str> = self.columns.iter().take(to).skip(from).map(|(name, _)| *name).collect();
        names.join(", ")
    }

    pub(crate) fn select(&self, prefix: usize) -> String {
        format!("SELECT {} FROM {}{}", self.names(0, self.columns.len()), self.name, self.matching(prefix))
    }

    fn matching(&self, prefix: usize) -> String {
        let terms: Vec<String> =
            self.columns.iter().take(prefix).zip(1..).map(|((name, _), at)| format!("{name} = ${at}")).collect();
        if terms.is_empty() { String::new() } else { format!(" WHERE {}", terms.join(" AND ")) }
    }

    /// Rows with this beginning of their key, in order of the key, from behind the rest of a key on if that is given.
    pub(crate) fn page(&self, prefix: usize, after: bool) -> String {
        let rest: Vec<String> = (prefix..self.key).map(|at| format!("${}", at.saturating_add(1))).collect();
        let mut sql = self.select(prefix);
        if after {
            sql.push_str(&format!(" AND ({}) > ({})", self.names(prefix, self.key), rest.join(", ")));
        }
        let limit = if after { self.key } else { prefix }.saturating_add(1);
        sql.push_str(&format!(" ORDER BY {} LIMIT ${limit}", self.names(0, self.key)));
        sql
    }

    /// Inserts a row, unless there is one of this key. It does not name the key, which is the one unique index of each
    /// table: where a partition is on another server, only that one knows the index.
    pub(crate) fn insert(&self) -> String {
        let places: Vec<String> = (1..=self.columns.len()).map(|at| format!("${at}")).collect();
        format!(
            "INSERT INTO {} ({}) VALUES ({}) ON CONFLICT DO NOTHING",
            self.name,
            self.names(0, self.columns.len()),
            places.join(", ")
        )
    }

    /// Sets everything but the key.
    pub(crate) fn update(&self) -> String {
        let set: Vec<String> =
            self.columns.iter().zip(1..).skip(self.key).map(|((name, _), at)| format!("{name} = ${at}")).collect();
        format!("UPDATE {} SET {}{}", self.name, set.join(", "), self.matching(self.key))
    }

    pub(crate) fn delete(&self, prefix: usize) -> String {
        format!("DELETE FROM {}{}", self.name, self.matching(prefix))
    }
}
