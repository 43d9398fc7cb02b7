//! `age`: a file key for each message, wrapped to an X25519 recipient; the payload in chunks of 64 KiB.

use std::io::{Read, Write};
use std::iter::once;

use age::x25519::{Identity, Recipient};
use age::{Decryptor, Encryptor};

use crate::note::NotePeer;
use crate::stream::{StreamPeer, write_blocks};
use crate::work::Outcome;

/// An X25519 identity, and the recipient that it opens for.
pub struct Age {
    identity: Identity,
    recipient: Recipient,
}

impl Age {
    /// A fresh identity.
    pub fn new() -> Self {
        let identity = Identity::generate();
        Self { recipient: identity.to_public(), identity }
    }
}

impl NotePeer for Age {
    type Opened = Vec<u8>;

    fn name(&self) -> &'static str {
        "age"
    }

    fn seal(&self, note: &[u8]) -> Outcome<Vec<u8>> {
        Ok(age::encrypt(&self.recipient, note)?)
    }

    fn open(&self, sealed: &[u8]) -> Outcome<Vec<u8>> {
        Ok(age::decrypt(&self.identity, sealed)?)
    }
}

impl StreamPeer for Age {
    fn name(&self) -> &'static str {
        "age"
    }

    fn seal(&self, source: &[u8], sink: &mut Vec<u8>) -> Outcome {
        let mut writer = Encryptor::with_recipients(once(&self.recipient as _))?.wrap_output(sink)?;
        write_blocks(source, |block| writer.write_all(block))?;
        writer.finish()?;
        Ok(())
    }

    fn open(&self, sealed: &[u8], sink: &mut [u8]) -> Outcome {
        let mut reader = Decryptor::new_buffered(sealed)?.decrypt(once(&self.identity as _))?;
        crate::stream::read_blocks(sink, |block| reader.read_exact(block))?;
        // Only the end of the stream shows that nothing is missing.
        crate::stream::at_end(reader.read(&mut [0])?)
    }
}
