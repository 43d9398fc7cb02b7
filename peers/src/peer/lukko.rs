//! lukko itself: the reader's path, the deposit, and attachments.

use std::io::{Cursor, Read, Write};
use std::rc::Rc;

use lukko::*;

use crate::clinic::Clinic;
use crate::note::NotePeer;
use crate::stream::{StreamPeer, at_end, read_blocks, write_blocks};
use crate::work::Outcome;

/// A note as bytes, without a copy.
pub struct Note(Opened);

impl AsRef<[u8]> for Note {
    fn as_ref(&self) -> &[u8] {
        self.0.plaintext.as_bytes()
    }
}

/// `Vault::seal` and `Vault::open`, with the patient's key that the reader has opened before.
pub struct Reader(pub Rc<Clinic>);

/// `Vault::deposit` and `Vault::open_deposit`: the writer has the patient's card only, and signs.
pub struct Depositor(pub Rc<Clinic>);

/// `Vault::seal_attachment` and `Vault::open_attachment`.
pub struct Attachments(pub Rc<Clinic>, pub Padding);

/// The one place of all notes here.
pub fn place() -> RecordContext<'static> {
    let (record, field) = (RecordId::new("r-1"), FieldLabel::new("note"));
    RecordContext::new(Place::new(record.expect("a valid id"), field.expect("a valid label")), Revision::FIRST)
}

/// Their field.
pub fn field() -> FieldLabel<'static> {
    FieldLabel::new("note").expect("a valid label")
}

impl NotePeer for Reader {
    type Opened = Note;

    fn name(&self) -> &'static str {
        crate::LUKKO
    }

    fn seal(&self, note: &[u8]) -> Outcome<Vec<u8>> {
        Ok(self.0.vault.seal(&self.0.key, &place(), note, &mut OsRng)?)
    }

    fn open(&self, sealed: &[u8]) -> Outcome<Note> {
        Ok(Note(self.0.vault.open(&self.0.key, place().place(), sealed)?))
    }
}

/// Record ids have this length where the library draws them.
const DRAWN_ID_LEN: usize = 32;

impl NotePeer for Depositor {
    type Opened = Note;

    fn name(&self) -> &'static str {
        match self.0.suite {
            Suite::X25519 => "lukko deposit, X25519",
            _ => "lukko deposit, X-Wing",
        }
    }

    fn seal(&self, note: &[u8]) -> Outcome<Vec<u8>> {
        let clinic = &self.0;
        let Deposit { record, mut bytes } =
            clinic.vault.deposit(&clinic.card, &clinic.intake, field(), Padding::Padme, note, &mut OsRng)?;
        // The id is needed to open it again. Here it goes along in front, where others put an encapsulated key.
        bytes.splice(0..0, record.into_bytes());
        Ok(bytes)
    }

    fn open(&self, sealed: &[u8]) -> Outcome<Note> {
        let (record, bytes) = sealed.split_at_checked(DRAWN_ID_LEN).ok_or("too short")?;
        let record = RecordId::new(str::from_utf8(record)?)?;
        Ok(Note(self.0.vault.open_deposit(&self.0.key, Place::new(record, field()), bytes)?))
    }
}

impl StreamPeer for Attachments {
    fn name(&self) -> &'static str {
        match self.1 {
            Padding::Padme => crate::LUKKO,
            Padding::None => "lukko, without padding",
        }
    }

    fn seal(&self, source: &[u8], sink: &mut Vec<u8>) -> Outcome {
        let place = place().with_padding(self.1);
        let mut writer = self.0.vault.seal_attachment(&self.0.key, &place, sink, &mut OsRng)?;
        write_blocks(source, |block| writer.write_all(block))?;
        writer.finish()?;
        Ok(())
    }

    fn open(&self, sealed: &[u8], sink: &mut [u8]) -> Outcome {
        let source = Cursor::new(sealed);
        let mut reader = self.0.vault.open_attachment(&self.0.key, place().place(), source)?;
        read_blocks(sink, |block| reader.read_exact(block))?;
        at_end(reader.read(&mut [0])?)
    }
}
