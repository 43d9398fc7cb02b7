//! Attachments on several threads: the feature `parallel` of lukko.

use std::rc::Rc;

use crate::clinic::Clinic;
use crate::work::{Group, Outcome};

/// The group `attach-64m-threads`: none, without the feature.
#[cfg(not(feature = "parallel"))]
pub fn group(_: &Rc<Clinic>) -> Outcome<Option<Group>> {
    Ok(None)
}

/// The group `attach-64m-threads`: as everywhere else, and in a pool of two threads.
#[cfg(feature = "parallel")]
pub fn group(clinic: &Rc<Clinic>) -> Outcome<Option<Group>> {
    use lukko::Padding;

    use crate::peer::lukko::Attachments;
    use crate::stream::Streams;

    let mut streams = Streams::new();
    streams.add(Attachments(Rc::clone(clinic), Padding::Padme))?;
    streams.add(two::TwoThreads::new(Rc::clone(clinic))?)?;
    let [mut seal, _] = streams.into_groups();
    seal.name = "attach-64m-threads".into();
    Ok(Some(seal))
}

#[cfg(feature = "parallel")]
mod two {
    use std::io::{Cursor, Read, Write};
    use std::num::NonZeroUsize;
    use std::rc::Rc;

    use lukko::OsRng;
    use rayon::{ThreadPool, ThreadPoolBuilder};

    use crate::clinic::Clinic;
    use crate::peer::lukko::place;
    use crate::stream::{StreamPeer, at_end, read_blocks, write_blocks};
    use crate::work::Outcome;

    /// How many chunks are sealed at once: a MiB.
    const BATCH: NonZeroUsize = NonZeroUsize::new(64).unwrap();

    /// `AttachmentWriter::in_parallel` and `AttachmentReader::in_parallel`.
    pub struct TwoThreads {
        clinic: Rc<Clinic>,
        pool: ThreadPool,
    }

    impl TwoThreads {
        /// With a pool of its own, that no other peer uses.
        pub fn new(clinic: Rc<Clinic>) -> Outcome<Self> {
            Ok(Self { clinic, pool: ThreadPoolBuilder::new().num_threads(2).build()? })
        }
    }

    impl StreamPeer for TwoThreads {
        fn name(&self) -> &'static str {
            "lukko, 2 threads"
        }

        fn seal(&self, source: &[u8], sink: &mut Vec<u8>) -> Outcome {
            let writer = self.clinic.vault.seal_attachment(&self.clinic.key, &place(), sink, &mut OsRng)?;
            self.pool.install(|| -> std::io::Result<()> {
                let mut writer = writer.in_parallel(BATCH)?;
                write_blocks(source, |block| writer.write_all(block))?;
                writer.finish().map(drop)
            })?;
            Ok(())
        }

        fn open(&self, sealed: &[u8], sink: &mut [u8]) -> Outcome {
            let (clinic, source) = (&self.clinic, Cursor::new(sealed));
            let reader = clinic.vault.open_attachment(&clinic.key, place().place(), source)?;
            let further = self.pool.install(|| -> std::io::Result<usize> {
                let mut reader = reader.in_parallel(BATCH);
                read_blocks(sink, |block| reader.read_exact(block))?;
                reader.read(&mut [0])
            })?;
            at_end(further)
        }
    }
}
