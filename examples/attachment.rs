//! Seals an attachment as a stream into a file and opens it again, by a reader and as a deposit, and measures memory.
//! SIZE is in MiB, 64 unless given: `cargo run --release --example attachment -- 1024`

use indicatif::{ProgressBar, ProgressDrawTarget};
use lukko::*;
use peak_alloc::PeakAlloc;
use std::fs::{File, remove_file};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::time::Instant;

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// The text: 8-byte words that depend on where they stand, so that any part of it can be checked alone.
fn fill(text: &mut [u8], at: u64) {
    for (index, word) in (at / 8..).zip(text.chunks_mut(8)) {
        word.copy_from_slice(&index.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29).to_le_bytes()[..word.len()]);
    }
}

/// Hands the text over in blocks of 64 KiB, with a bar once that takes more than two seconds.
fn each_block(size: u64, mut block: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let (bar, start) = (ProgressBar::with_draw_target(Some(size), ProgressDrawTarget::hidden()), Instant::now());
    let mut text = [0; 65_536];
    for at in (0..size).step_by(text.len()) {
        fill(&mut text, at);
        block(&text)?;
        if bar.is_hidden() && start.elapsed().as_secs() >= 2 {
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        bar.inc(text.len() as u64);
    }
    bar.finish_and_clear();
    Ok(())
}

fn check_text(size: u64, source: &mut (impl Read + Seek)) -> io::Result<()> {
    let (mut part, mut expected, at) = ([0; 4096], [0; 4096], size / 3 / 8 * 8);
    fill(&mut expected, at);
    source.seek(SeekFrom::Start(at))?;
    source.read_exact(&mut part)?;
    assert_eq!(part, expected, "after a seek");
    source.seek(SeekFrom::Start(0))?;
    let mut read = [0; 1 << 16];
    each_block(size, |text| source.read_exact(&mut read).map(|()| assert!(read == text, "text differs")))?;
    source.read(&mut part).map(|count| assert_eq!(count, 0, "the end"))
}

/// Runs a step and prints its speed and the peak of the heap above what was in use before.
fn measured<T>(what: &str, size: u64, step: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let (before, start) = (HEAP.current_usage(), Instant::now());
    HEAP.reset_peak_usage();
    let done = step()?;
    let (peak, seconds) = (HEAP.peak_usage().saturating_sub(before), start.elapsed().as_secs_f64());
    println!("{what:<40}{:>6.0} MiB/s, peak heap {:>4} KiB", size as f64 / 1048576.0 / seconds, peak.div_ceil(1024));
    Ok(done)
}

fn main() -> io::Result<()> {
    let size = std::env::args().nth(1).map_or(64, |size| size.parse::<u64>().expect("SIZE in MiB")).max(1) << 20;
    let (rng, registrar) = (&mut OsRng, RegistrarKey::generate(&mut OsRng)?);
    let new = create(Policy::new(2, 3)?, Suite::XWing, &registrar.public(), rng)?;
    let pin = Pin::new(new.descriptor.fingerprint(), &new.descriptor)?;
    let pinned = pin.check(new.descriptor.clone())?;
    let member = pinned.new_member(MemberId::new("dr-salo")?, rng)?;
    let mut draft = RosterDraft::first(&pinned);
    draft.admit(&MemberEntry::verify(member.entry(), &pinned)?, Roles::READ | Roles::DEPOSIT | Roles::ENROL)?;
    let roster = draft.sign_as_registrar(&registrar, &pinned)?;
    let vault = Vault::load(pin, new.descriptor.as_bytes(), &roster, [member.entry()])?;
    let (patient, by) = (PatientId::new("p-1")?, Enroller::Member(&member));
    let Enrolment { key, card, endorsement, master_grant, .. } = vault.enrol(by, patient, rng)?;
    let stored = StoredPatient { cards: &[&card], endorsement: &endorsement, master_grant: &master_grant };
    let card = vault.card(patient, &stored, None)?;
    let path = std::env::temp_dir().join(format!("lukko-attachment-{}", std::process::id()));
    let mut file = File::options().read(true).write(true).create_new(true).open(&path)?;
    let field = FieldLabel::new("recording")?;
    let place = Place::new(RecordId::new("r-1")?, field);
    let outcome = (|| {
        measured("sealed by a reader", size, || {
            let mut writer = vault.seal_attachment(&key, &RecordContext::new(place, Revision::FIRST), &file, rng)?;
            each_block(size, |text| writer.write_all(text))?;
            writer.finish()
        })?;
        let open = || check_text(size, &mut vault.open_attachment(&key, place, &file)?);
        measured("opened, after a seek and from the start", size, open)?;
        file.set_len(0).and_then(|()| file.rewind())?;
        let record = measured("deposited", size, || {
            let mut writer = vault.deposit_attachment(&card, &member, field, Padding::Padme, &file, rng)?;
            each_block(size, |text| writer.write_all(text))?;
            Ok((writer.record().to_owned(), writer.finish()?).0)
        })?;
        measured("its authorship verified, and opened", size, || {
            let deposited = vault.open_deposited_attachment(&key, Place::new(RecordId::new(&record)?, field), &file)?;
            check_text(size, &mut deposited.verify_authorship()?)
        })
    })();
    remove_file(&path)?;
    outcome
}
