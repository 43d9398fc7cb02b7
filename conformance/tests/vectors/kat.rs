//! Reads the vectors under `vectors/`: lines `name = hex`, an empty line between cases, `#` before the source.

use std::collections::HashMap;
use std::convert::Infallible;

use lukko::rand_core::{TryCryptoRng, TryRng};

/// One case, by the names of its fields.
pub(crate) struct Case(HashMap<String, Vec<u8>>);

impl Case {
    pub(crate) fn bytes(&self, name: &str) -> &[u8] {
        self.0.get(name).unwrap_or_else(|| panic!("no field {name}"))
    }

    pub(crate) fn array<const N: usize>(&self, name: &str) -> &[u8; N] {
        array(self.bytes(name))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.get(name).map(Vec::as_slice)
    }
}

pub(crate) fn cases(text: &str) -> Vec<Case> {
    let (mut all, mut fields) = (Vec::new(), HashMap::new());
    for line in text.lines().chain([""]) {
        if line.is_empty() && !fields.is_empty() {
            all.push(Case(std::mem::take(&mut fields)));
        } else if !line.is_empty() && !line.starts_with('#') {
            let (name, value) = line.split_once('=').expect("name = hex");
            let value = hex::decode(value.trim()).expect("hex");
            assert!(fields.insert(name.trim().to_owned(), value).is_none(), "{name} twice");
        }
    }
    all
}

pub(crate) fn array<const N: usize>(bytes: &[u8]) -> &[u8; N] {
    bytes.try_into().unwrap_or_else(|_| panic!("{} bytes instead of {N}", bytes.len()))
}

/// Hands out the randomness of a vector, exactly.
pub(crate) struct Drawn<'a>(pub(crate) &'a [u8]);

impl TryRng for Drawn<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!("lukko draws bytes")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!("lukko draws bytes")
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        let (head, tail) = self.0.split_at(bytes.len());
        bytes.copy_from_slice(head);
        self.0 = tail;
        Ok(())
    }
}

impl TryCryptoRng for Drawn<'_> {}

#[test]
fn the_files_are_read() {
    let read = cases("# source\n\na = 00ff\nb =\n\n\na = 01\n");
    assert_eq!(read.len(), 2);
    assert_eq!((read[0].bytes("a"), read[0].bytes("b"), read[1].get("b")), (&[0, 255][..], &[][..], None));
}
