-- Version 1. Every key begins with the vault and, where there is one, the patient.

CREATE TABLE generation (
    vault BLOB NOT NULL,
    generation BIGINT NOT NULL,
    descriptor BLOB NOT NULL,
    statement BLOB,
    version BIGINT NOT NULL,
    roster BLOB NOT NULL,
    retired BIGINT NOT NULL,
    PRIMARY KEY (vault, generation)
);

CREATE TABLE member (
    vault BLOB NOT NULL,
    member BLOB NOT NULL,
    entry BLOB NOT NULL,
    PRIMARY KEY (vault, member)
);

CREATE TABLE patient (
    vault BLOB NOT NULL,
    patient BLOB NOT NULL,
    version BIGINT NOT NULL,
    card BLOB NOT NULL,
    PRIMARY KEY (vault, patient)
);

CREATE TABLE card (
    vault BLOB NOT NULL,
    patient BLOB NOT NULL,
    version BIGINT NOT NULL,
    card BLOB NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (vault, patient, version)
);

CREATE TABLE endorsement (
    vault BLOB NOT NULL,
    patient BLOB NOT NULL,
    generation BIGINT NOT NULL,
    card BLOB NOT NULL,
    endorsement BLOB NOT NULL,
    master_grant BLOB NOT NULL,
    PRIMARY KEY (vault, patient, generation)
);

CREATE TABLE patient_grant (
    vault BLOB NOT NULL,
    patient BLOB NOT NULL,
    card BLOB NOT NULL,
    generation BIGINT NOT NULL,
    recipient BLOB NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (vault, patient, card, generation, recipient)
);

CREATE TABLE record (
    vault BLOB NOT NULL,
    patient BLOB NOT NULL,
    record BLOB NOT NULL,
    field BLOB NOT NULL,
    revision BIGINT NOT NULL,
    card BLOB NOT NULL,
    sealed BLOB,
    object BLOB,
    length BIGINT NOT NULL,
    PRIMARY KEY (vault, patient, record, field)
);

CREATE TABLE erasure (
    vault BLOB NOT NULL,
    erasure BLOB NOT NULL,
    roster_version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    scrubbed BIGINT NOT NULL,
    PRIMARY KEY (vault, erasure)
);

CREATE TABLE erasure_part (
    vault BLOB NOT NULL,
    erasure BLOB NOT NULL,
    kind BIGINT NOT NULL,
    subject BLOB NOT NULL,
    at BIGINT,
    PRIMARY KEY (vault, erasure, kind, subject)
);

CREATE TABLE unnamed_object (
    vault BLOB NOT NULL,
    object BLOB NOT NULL,
    since BIGINT NOT NULL,
    PRIMARY KEY (vault, object)
);

CREATE TABLE job (
    vault BLOB NOT NULL,
    job BLOB NOT NULL,
    kind BIGINT NOT NULL,
    PRIMARY KEY (vault, job)
);

CREATE TABLE job_piece (
    vault BLOB NOT NULL,
    patient BLOB NOT NULL,
    job BLOB NOT NULL,
    state BIGINT NOT NULL,
    lease BIGINT NOT NULL,
    token BIGINT NOT NULL,
    reason BLOB NOT NULL,
    PRIMARY KEY (vault, patient, job)
);

CREATE INDEX job_piece_state ON job_piece (vault, job, state, patient);
