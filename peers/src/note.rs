//! Notes of four sizes: sealed to a recipient, and opened again.

use std::rc::Rc;

use crate::work::{Group, Outcome, Work, ensure};

/// The sizes of the notes, and how they are called.
pub const SIZES: [(&str, usize); 4] = [("256", 256), ("1k", 1024), ("4k", 4096), ("16k", 16_384)];

/// One way to seal a note into one owned output and to open it again. Keys were made before.
pub trait NotePeer {
    /// What opening gives.
    type Opened: AsRef<[u8]>;
    /// The name in the tables.
    fn name(&self) -> &'static str;
    /// Seals; everything that is needed to open it, apart from the key, is in the output.
    fn seal(&self, note: &[u8]) -> Outcome<Vec<u8>>;
    /// Opens what [`NotePeer::seal`] gave.
    fn open(&self, sealed: &[u8]) -> Outcome<Self::Opened>;
}

/// The groups `seal-SIZE` and `open-SIZE`.
pub struct Notes {
    seal: Vec<Group>,
    open: Vec<Group>,
}

impl Notes {
    /// Groups without works.
    pub fn new() -> Self {
        let groups = |what: &str| SIZES.iter().map(|(size, _)| Group::new(format!("{what}-{size}"))).collect();
        Self { seal: groups("seal"), open: groups("open") }
    }

    /// Adds a peer to all groups, after it has shown that it does the work.
    pub fn add<P: NotePeer + 'static>(&mut self, peer: P) -> Outcome {
        let peer = Rc::new(peer);
        for ((_, size), (seal, open)) in SIZES.iter().zip(self.seal.iter_mut().zip(&mut self.open)) {
            let note = text(*size);
            let sealed = checked(&*peer, &note)?;
            let sealer = Rc::clone(&peer);
            seal.works.push(Work::new(peer.name(), move || sealer.seal(&note)));
            let opener = Rc::clone(&peer);
            open.works.push(Work::new(peer.name(), move || opener.open(&sealed)));
        }
        Ok(())
    }

    /// All groups.
    pub fn into_groups(self) -> impl Iterator<Item = Group> {
        self.seal.into_iter().chain(self.open)
    }
}

/// A sealed note, after a round trip, and after it was refused with its last byte altered.
fn checked<P: NotePeer>(peer: &P, note: &[u8]) -> Outcome<Vec<u8>> {
    let sealed = peer.seal(note)?;
    ensure(sealed.len() > note.len(), || format!("{}: nothing was added to the note", peer.name()))?;
    ensure(peer.open(&sealed)?.as_ref() == note, || format!("{}: another note came back", peer.name()))?;
    let mut altered = sealed.clone();
    *altered.last_mut().ok_or("empty")? ^= 1;
    ensure(peer.open(&altered).is_err(), || format!("{}: an altered note was opened", peer.name()))?;
    Ok(sealed)
}

/// Text of this length, of which no part repeats soon.
pub fn text(len: usize) -> Vec<u8> {
    let word = |at: u64| (at.wrapping_mul(0x9E37_79B9_7F4A_7C15)).rotate_left(29).to_le_bytes();
    let mut text: Vec<u8> = (0..len.div_ceil(8) as u64).flat_map(word).collect();
    text.truncate(len);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seals by adding a byte, and authenticates nothing.
    struct Careless;

    impl NotePeer for Careless {
        type Opened = Vec<u8>;

        fn name(&self) -> &'static str {
            "careless"
        }

        fn seal(&self, note: &[u8]) -> Outcome<Vec<u8>> {
            Ok([note, b"!"].concat())
        }

        fn open(&self, sealed: &[u8]) -> Outcome<Vec<u8>> {
            Ok(sealed[..sealed.len() - 1].to_vec())
        }
    }

    #[test]
    fn what_authenticates_nothing_is_not_measured() {
        let refused = Notes::new().add(Careless).unwrap_err().to_string();
        assert!(refused.contains("altered"), "{refused}");
    }
}
