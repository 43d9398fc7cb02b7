-- Version 4. Whose grant of a living patient was withdrawn: the receipt of an erasure names these keys too.

CREATE TABLE withdrawn (
    vault BLOB NOT NULL,
    patient BLOB NOT NULL,
    recipient BLOB NOT NULL,
    PRIMARY KEY (vault, patient, recipient)
);
