//! Attachments on several threads: the feature `parallel` of lukko.
//!
//! To be switched on in `Cargo.toml`, with the core's feature of that name.

use std::rc::Rc;

use crate::clinic::Clinic;
use crate::work::{Group, Outcome};

/// The group `attach-64m-threads`: none, without the feature.
#[cfg(not(feature = "parallel"))]
pub fn groups(_: &Rc<Clinic>) -> Outcome<Option<Group>> {
    Ok(None)
}

/// The group `attach-64m-threads`: the same attachment in a pool of one thread and in one of two.
#[cfg(feature = "parallel")]
pub fn groups(clinic: &Rc<Clinic>) -> Outcome<Option<Group>> {
    use std::io::Write;

    use lukko::OsRng;

    use crate::note::text;
    use crate::peer::lukko::place;
    use crate::stream::{LEN, write_blocks};
    use crate::work::Work;

    let mut group = Group::new("attach-64m-threads");
    for (name, threads) in [("1 thread", 1), ("2 threads", 2)] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
        let (clinic, source, mut sink) = (Rc::clone(clinic), text(LEN), vec![1; LEN + LEN / 8]);
        group.works.push(Work::new(name, move || {
            let (vault, key) = (&clinic.vault, &clinic.key);
            sink.clear();
            // The call that the feature adds goes here, in place of `seal_attachment`.
            pool.install(|| -> std::io::Result<()> {
                let mut writer = vault.seal_attachment(key, &place(), &mut sink, &mut OsRng)?;
                write_blocks(&source, |block| writer.write_all(block))?;
                writer.finish().map(drop)
            })?;
            Ok(())
        }));
    }
    Ok(Some(group))
}
