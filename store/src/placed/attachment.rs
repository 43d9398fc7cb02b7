//! Attachments: the object that was uploaded, and the record that names it.

use std::io::{self, Write};

use lukko::rand_core::TryCryptoRng;
use lukko::{AttachmentWriter, PatientKey, RecordContext, Vault};

use super::Sealed;
use crate::attachments::ObjectSink;
use crate::rows::StoredBody;

/// An object that is there and durable, and how it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uploaded {
    object: String,
    length: u64,
    pub(super) begin: Vec<u8>,
}

impl Uploaded {
    /// An object that was uploaded by other means than an [`ObjectSink`]: its name, its length in bytes, and its first
    /// [`BEGIN`](lukko::claimed::Record::BEGIN) bytes, or all of a shorter one.
    #[must_use]
    pub const fn new(object: String, length: u64, begin: Vec<u8>) -> Self {
        Self { object, length, begin }
    }

    /// Its name.
    #[must_use]
    pub fn object(&self) -> &str {
        &self.object
    }

    /// Its length, in bytes.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// Its name and its length, in bytes.
    #[must_use]
    pub fn into_parts(self) -> (String, u64) {
        (self.object, self.length)
    }

    pub(super) fn into_body(self) -> StoredBody {
        StoredBody::Object { object: self.object, length: self.length }
    }
}

/// Seals an attachment into an object, for the place of one record: [`lukko::Vault::seal_attachment`]. Write the plaintext
/// to it; as [`ObjectSink`] it blocks.
#[derive(Debug)]
pub struct AttachmentSealer {
    writer: AttachmentWriter<ObjectSink>,
    /// The record, but for the object.
    sealed: Sealed,
}

impl AttachmentSealer {
    /// Begins.
    ///
    /// # Errors
    /// As [`lukko::Vault::seal_attachment`].
    pub fn begin(
        vault: &Vault,
        key: &PatientKey,
        context: &RecordContext<'_>,
        sink: ObjectSink,
        rng: &mut impl TryCryptoRng,
    ) -> io::Result<Self> {
        let sealed = Sealed::of_reader(vault, key, context, StoredBody::Sealed(Vec::new()));
        Ok(Self { writer: vault.seal_attachment(key, context, sink, rng)?, sealed })
    }

    /// Ends attachment and upload. The object is there and durable when this returns; store the record that names it.
    ///
    /// # Errors
    /// As [`AttachmentWriter::finish`] and [`ObjectSink::finish`]. The object does not exist then.
    pub fn finish(self) -> io::Result<Sealed> {
        let Self { writer, sealed } = self;
        Ok(Sealed { body: writer.finish()?.finish()?.into_body(), ..sealed })
    }
}

impl Write for AttachmentSealer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}
