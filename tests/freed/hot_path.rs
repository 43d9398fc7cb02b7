//! Sealing and opening a note allocate the output, and nothing else.

use lukko::*;

use super::life;
use super::needles::seen;

/// The number of blocks that an operation allocates, if it frees all of them: its result is dropped here.
fn blocks_of<T>(operation: impl FnOnce() -> T) -> usize {
    let [before, _] = seen();
    drop(operation());
    let [after, _] = seen();
    after - before
}

pub(crate) fn allocates_once() {
    assert_eq!(blocks_of(|| (Box::new(1), vec![0; 9])), 2, "the counter counts");
    let (life::World { vault, patient, .. }, ..) = life::found(Suite::XWing);
    let (record, field) = (RecordId::new("r-1").unwrap(), FieldLabel::new("note").unwrap());
    let place = RecordContext::new(Place::new(record, field), Revision::FIRST);
    for length in [0, 256, 1_024, 16_384, 40_000] {
        let note = vec![b'a'; length];
        let sealed = vault.seal(&patient.key, &place, &note, &mut OsRng).unwrap();
        let mut reused = Vec::with_capacity(sealed.len());
        let seal = blocks_of(|| vault.seal(&patient.key, &place, &note, &mut OsRng).unwrap());
        let open = blocks_of(|| vault.open(&patient.key, Place::new(record, field), &sealed).unwrap());
        let append = blocks_of(|| vault.seal_into(&patient.key, &place, &note, &mut OsRng, &mut reused).unwrap());
        assert_eq!([seal, open, append], [1, 1, 0], "{length} bytes: sealed, opened, sealed into a buffer");
        assert_eq!(sealed_len(length, Padding::Padme).unwrap(), sealed.len());
    }
}
