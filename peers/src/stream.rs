//! 64 MiB as a stream, from memory to memory: sealed and opened.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;

use crate::note::text;
use crate::work::{Group, Outcome, Work, ensure};

/// The plaintext of one chunk, in bytes, for those who let us choose; it is lukko's.
pub const CHUNK: usize = 16_384;
/// A Poly1305 tag, in bytes.
pub const TAG_LEN: usize = 16;
/// What is sealed, in bytes.
pub const LEN: usize = 64 << 20;
/// A block is what a caller hands over or asks for at once, in bytes.
const BLOCK: usize = 65_536;

/// One way to seal a stream of bytes and to open it again.
pub trait StreamPeer {
    /// The name in the tables.
    fn name(&self) -> &'static str;
    /// Appends the sealed stream.
    fn seal(&self, source: &[u8], sink: &mut Vec<u8>) -> Outcome;
    /// Opens what [`StreamPeer::seal`] appended: exactly as many bytes as `sink` has, and no more.
    fn open(&self, sealed: &[u8], sink: &mut [u8]) -> Outcome;
}

/// The groups `attach-64m` and `attach-open-64m`.
pub struct Streams {
    source: Rc<[u8]>,
    sealed: Rc<RefCell<Vec<u8>>>,
    opened: Rc<RefCell<Vec<u8>>>,
    seal: Group,
    open: Group,
}

impl Streams {
    /// Groups without works. All of them write to the same memory, which was written to before.
    pub fn new() -> Self {
        let source: Rc<[u8]> = text(LEN).into();
        let sealed = Rc::new(RefCell::new(vec![1; LEN + LEN / 8]));
        let opened = Rc::new(RefCell::new(vec![1; LEN]));
        Self { source, sealed, opened, seal: Group::new("attach-64m"), open: Group::new("attach-open-64m") }
    }

    /// Adds a peer to both groups, after it has shown that it does the work.
    pub fn add<P: StreamPeer + 'static>(&mut self, peer: P) -> Outcome {
        let peer = Rc::new(peer);
        let input = self.checked(&*peer)?;
        let (sealer, source, sink) = (Rc::clone(&peer), Rc::clone(&self.source), Rc::clone(&self.sealed));
        self.seal.works.push(Work::new(peer.name(), move || {
            let sink = &mut *sink.borrow_mut();
            sink.clear();
            sealer.seal(&source, sink)
        }));
        let (opener, sink) = (Rc::clone(&peer), Rc::clone(&self.opened));
        self.open.works.push(Work::new(peer.name(), move || opener.open(&input, &mut sink.borrow_mut())));
        Ok(())
    }

    /// The sealed stream, after a round trip, and after it was refused with its last byte altered.
    fn checked<P: StreamPeer>(&self, peer: &P) -> Outcome<Vec<u8>> {
        let mut sealed = Vec::new();
        peer.seal(&self.source, &mut sealed)?;
        let mut opened = vec![0; LEN];
        peer.open(&sealed, &mut opened)?;
        ensure(opened == *self.source, || format!("{}: another stream came back", peer.name()))?;
        *sealed.last_mut().ok_or("empty")? ^= 1;
        let refused = peer.open(&sealed, &mut opened).is_err();
        ensure(refused, || format!("{}: an altered stream was opened", peer.name()))?;
        *sealed.last_mut().ok_or("empty")? ^= 1;
        Ok(sealed)
    }

    /// Both groups.
    pub fn into_groups(self) -> [Group; 2] {
        [self.seal, self.open]
    }
}

/// Hands a source over in blocks.
pub fn write_blocks(source: &[u8], block: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    source.chunks(BLOCK).try_for_each(block)
}

/// Fills a sink in blocks.
pub fn read_blocks(sink: &mut [u8], block: impl FnMut(&mut [u8]) -> io::Result<()>) -> io::Result<()> {
    sink.chunks_mut(BLOCK).try_for_each(block)
}

/// That a reader had nothing more to give.
pub fn at_end(further: usize) -> Outcome {
    ensure(further == 0, || "the stream is longer than it should be".into())
}
