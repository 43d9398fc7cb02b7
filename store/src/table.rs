//! The tables, and the few statements that are made of them: each names whole keys or the beginning of one.
//!
//! Every key begins with the vault, and where there is one, the patient: one of the two is the shard key of `docs/SCALING.md`.

use std::sync::OnceLock;

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
    texts: OnceLock<Texts>,
}

/// The statements over one table, made once: a driver finds what it has prepared by its text. What selects leaves out the
/// columns that it is given the values of.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Texts {
    pub(crate) get: String,
    pub(crate) lock: String,
    pub(crate) share: String,
    pub(crate) insert: String,
    pub(crate) update: String,
    /// By the number of columns that are given.
    delete: Vec<String>,
    /// The same, from the beginning and from behind a row.
    page: Vec<[String; 2]>,
}

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Int,
    Bytes,
}

use Kind::{Bytes, Int};

pub(crate) static GENERATION: Table = Table {
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
    texts: OnceLock::new(),
};
pub(crate) static MEMBER: Table = Table {
    name: "member",
    key: 2,
    columns: &[("vault", Bytes), ("member", Bytes), ("entry", Bytes)],
    texts: OnceLock::new(),
};
pub(crate) static PATIENT: Table = Table {
    name: "patient",
    key: 2,
    columns: &[("vault", Bytes), ("patient", Bytes), ("version", Int), ("card", Bytes)],
    texts: OnceLock::new(),
};
pub(crate) static CARD: Table = Table {
    name: "card",
    key: 3,
    columns: &[("vault", Bytes), ("patient", Bytes), ("version", Int), ("card", Bytes), ("bytes", Bytes)],
    texts: OnceLock::new(),
};
pub(crate) static ENDORSEMENT: Table = Table {
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
    texts: OnceLock::new(),
};
/// Generation 0 is a grant to a member; any other one an older card's master grant, whose recipient is empty.
pub(crate) static GRANT: Table = Table {
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
    texts: OnceLock::new(),
};
/// The keys of members whose grant was deleted while the patient lives: backups from before hold the grant.
pub(crate) static WITHDRAWN: Table = Table {
    name: "withdrawn",
    key: 3,
    columns: &[("vault", Bytes), ("patient", Bytes), ("recipient", Bytes)],
    texts: OnceLock::new(),
};
pub(crate) static RECORD: Table = Table {
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
    texts: OnceLock::new(),
};
pub(crate) static ERASURE: Table = Table {
    name: "erasure",
    key: 2,
    columns: &[("vault", Bytes), ("erasure", Bytes), ("roster_version", Int), ("at", Int), ("scrubbed", Int)],
    texts: OnceLock::new(),
};
pub(crate) static ERASURE_PART: Table = Table {
    name: "erasure_part",
    key: 4,
    columns: &[("vault", Bytes), ("erasure", Bytes), ("kind", Int), ("subject", Bytes), ("at", Int)],
    texts: OnceLock::new(),
};
pub(crate) static OBJECT: Table = Table {
    name: "unnamed_object",
    key: 2,
    columns: &[("vault", Bytes), ("object", Bytes), ("since", Int)],
    texts: OnceLock::new(),
};
pub(crate) static JOB: Table = Table {
    name: "job",
    key: 2,
    columns: &[("vault", Bytes), ("job", Bytes), ("kind", Int), ("pieces", Int)],
    texts: OnceLock::new(),
};
pub(crate) static PIECE: Table = Table {
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
    texts: OnceLock::new(),
};

/// The one row that says which version the other tables have.
pub(crate) static SCHEMA: Table =
    Table { name: "lukko_schema", key: 1, columns: &[("id", Int), ("version", Int)], texts: OnceLock::new() };

/// Every table with objects of vaults.
pub(crate) static TABLES: [&Table; 13] = [
    &GENERATION,
    &MEMBER,
    &PATIENT,
    &CARD,
    &ENDORSEMENT,
    &GRANT,
    &WITHDRAWN,
    &RECORD,
    &ERASURE,
    &ERASURE_PART,
    &OBJECT,
    &JOB,
    &PIECE,
];

impl Table {
    /// The column that a distributed database places rows by: what is of one patient is in one place, and so are the other
    /// tables of a vault, the pieces of its jobs among them.
    pub(crate) fn shard_key(&self) -> &'static str {
        let of_patient = self.columns.get(1).is_some_and(|(name, _)| *name == "patient") && self.name != PIECE.name;
        if of_patient { "patient" } else { "vault" }
    }

    /// The statements over this table.
    pub(crate) fn texts(&'static self) -> &'static Texts {
        self.texts.get_or_init(|| {
            let get = self.select(self.key);
            Texts {
                lock: format!("{get} FOR UPDATE"),
                share: format!("{get} FOR SHARE"),
                get,
                insert: self.insert(),
                update: self.update(),
                delete: (0..=self.key).map(|prefix| self.delete(prefix)).collect(),
                page: (0..=self.key).map(|prefix| [false, true].map(|after| self.page(prefix, after))).collect(),
            }
        })
    }

    fn names(&self, from: usize, to: usize) -> String {
        let names: Vec<&str> = self.columns.iter().take(to).skip(from).map(|(name, _)| *name).collect();
        names.join(", ")
    }

    fn select(&self, prefix: usize) -> String {
        let names = self.names(prefix, self.columns.len());
        format!("SELECT {names} FROM {}{}", self.name, self.matching(prefix))
    }

    fn matching(&self, prefix: usize) -> String {
        let terms: Vec<String> =
            self.columns.iter().take(prefix).zip(1..).map(|((name, _), at)| format!("{name} = ${at}")).collect();
        if terms.is_empty() { String::new() } else { format!(" WHERE {}", terms.join(" AND ")) }
    }

    /// Rows with this beginning of their key, in order of the key, from behind the rest of a key on if that is given.
    fn page(&self, prefix: usize, after: bool) -> String {
        let rest: Vec<String> = (prefix..self.key).map(|at| format!("${}", at.saturating_add(1))).collect();
        let mut sql = self.select(prefix);
        if after {
            let and = if prefix == 0 { "WHERE" } else { "AND" };
            sql.push_str(&format!(" {and} ({}) > ({})", self.names(prefix, self.key), rest.join(", ")));
        }
        let limit = if after { self.key } else { prefix }.saturating_add(1);
        sql.push_str(&format!(" ORDER BY {} LIMIT ${limit}", self.names(0, self.key)));
        sql
    }

    /// Inserts a row, unless there is one of this key. It does not name the key, which is the one unique index of each
    /// table: where a partition is on another server, only that one knows the index.
    fn insert(&self) -> String {
        let places: Vec<String> = (1..=self.columns.len()).map(|at| format!("${at}")).collect();
        format!(
            "INSERT INTO {} ({}) VALUES ({}) ON CONFLICT DO NOTHING",
            self.name,
            self.names(0, self.columns.len()),
            places.join(", ")
        )
    }

    /// Sets everything but the key.
    fn update(&self) -> String {
        let set: Vec<String> =
            self.columns.iter().zip(1..).skip(self.key).map(|((name, _), at)| format!("{name} = ${at}")).collect();
        format!("UPDATE {} SET {}{}", self.name, set.join(", "), self.matching(self.key))
    }

    fn delete(&self, prefix: usize) -> String {
        format!("DELETE FROM {}{}", self.name, self.matching(prefix))
    }
}

impl Texts {
    /// Of at least one column.
    pub(crate) fn delete(&'static self, prefix: usize) -> &'static str {
        self.delete.get(prefix).map_or("", String::as_str)
    }

    pub(crate) fn page(&'static self, prefix: usize, after: bool) -> &'static str {
        self.page.get(prefix).map_or("", |page| if after { page[1].as_str() } else { page[0].as_str() })
    }
}
