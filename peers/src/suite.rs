//! All groups, in the order in which they are measured.

use std::rc::Rc;

use ::hpke::kem::{X25519HkdfSha256, XWing};
use lukko::{Padding, Suite};

use crate::clinic::Clinic;
use crate::note::{NotePeer, Notes, text};
use crate::peer::lukko::{Attachments, Depositor, Reader};
use crate::peer::{age, aws, boxes, hpke, orion, raw, sodium};
use crate::stream::Streams;
use crate::work::{Group, Outcome, Work, ensure};
use crate::{sharing, threads};

/// The number of records of the patient who has many.
const MANY: usize = 100;

/// Everything: each peer has shown before that it does the work.
pub fn everything() -> Outcome<Vec<Group>> {
    let (hybrid, classic) = clinics()?;
    let mut groups = Vec::new();
    groups.extend(notes(&hybrid, &classic)?.into_groups());
    groups.push(signed(&hybrid, &classic)?);
    groups.push(rotation(&hybrid, &classic)?);
    groups.extend(sharing::groups()?);
    groups.extend(streams(&hybrid)?.into_groups());
    groups.extend(threads::group(&hybrid)?);
    Ok(groups)
}

/// lukko alone, for a build with another backend: what its own user would call.
pub fn lukko_alone() -> Outcome<Vec<Group>> {
    let clinic = Rc::new(Clinic::new(Suite::XWing, 1)?);
    let mut notes = Notes::new();
    notes.add(Reader(Rc::clone(&clinic)))?;
    let mut streams = Streams::new();
    streams.add(Attachments(clinic, Padding::Padme))?;
    Ok(notes.into_groups().chain(streams.into_groups()).collect())
}

fn clinics() -> Outcome<(Rc<Clinic>, Rc<Clinic>)> {
    Ok((Rc::new(Clinic::new(Suite::XWing, 1)?), Rc::new(Clinic::new(Suite::X25519, 1)?)))
}

fn notes(hybrid: &Rc<Clinic>, classic: &Rc<Clinic>) -> Outcome<Notes> {
    let mut notes = Notes::new();
    notes.add(Reader(Rc::clone(hybrid)))?;
    notes.add(Depositor(Rc::clone(hybrid)))?;
    notes.add(Depositor(Rc::clone(classic)))?;
    notes.add(age::Age::new())?;
    notes.add(sodium::SealedBox::new()?)?;
    notes.add(boxes::Dryoc::new())?;
    notes.add(boxes::CryptoBox::new())?;
    notes.add(hpke::Hpke::<XWing>::new())?;
    notes.add(hpke::Hpke::<X25519HkdfSha256>::new())?;
    notes.add(orion::Orion::new()?)?;
    notes.add(raw::Raw::new())?;
    notes.add(aws::Aws::new()?)?;
    Ok(notes)
}

/// A note of 1 KiB from someone who cannot read it back, with proof of who wrote it.
fn signed(hybrid: &Rc<Clinic>, classic: &Rc<Clinic>) -> Outcome<Group> {
    let mut group = Group::new("deposit-1k");
    add_sealer(&mut group, Depositor(Rc::clone(hybrid)))?;
    add_sealer(&mut group, hpke::Signed::<XWing>::new())?;
    add_sealer(&mut group, Depositor(Rc::clone(classic)))?;
    add_sealer(&mut group, hpke::Signed::<X25519HkdfSha256>::new())?;
    Ok(group)
}

fn add_sealer<P: NotePeer + 'static>(group: &mut Group, peer: P) -> Outcome {
    let note = text(1024);
    let sealed = peer.seal(&note)?;
    ensure(peer.open(&sealed)?.as_ref() == note, || format!("{}: another note came back", peer.name()))?;
    group.works.push(Work::new(peer.name(), move || peer.seal(&note)));
    Ok(())
}

/// One patient goes to the next generation; beside it what is the least that must happen: open one secret of 32 bytes,
/// and seal it again.
fn rotation(hybrid: &Rc<Clinic>, classic: &Rc<Clinic>) -> Outcome<Group> {
    let mut group = Group::new("rotate-patient");
    let many = Rc::new(Clinic::new(Suite::XWing, MANY)?);
    add_rotation(&mut group, "lukko, X-Wing, 1 record", hybrid);
    add_rotation(&mut group, "lukko, X-Wing, 100 records", &many);
    add_rotation(&mut group, "lukko, X25519, 1 record", classic);
    add_rewrap(&mut group, "hpke open + seal, X-Wing", hpke::Hpke::<XWing>::new())?;
    add_rewrap(&mut group, "hpke open + seal, X25519", hpke::Hpke::<X25519HkdfSha256>::new())?;
    Ok(group)
}

/// [`Clinic::new`] has checked it.
fn add_rotation(group: &mut Group, name: &'static str, clinic: &Rc<Clinic>) {
    let clinic = Rc::clone(clinic);
    group.works.push(Work::new(name, move || clinic.rotate_patient()));
}

fn add_rewrap(group: &mut Group, name: &'static str, peer: impl NotePeer + 'static) -> Outcome {
    let secret = [7; 32];
    let sealed = peer.seal(&secret)?;
    ensure(peer.open(&peer.seal(peer.open(&sealed)?.as_ref())?)?.as_ref() == secret, || "another secret".into())?;
    group.works.push(Work::new(name, move || peer.seal(peer.open(&sealed)?.as_ref())));
    Ok(())
}

fn streams(clinic: &Rc<Clinic>) -> Outcome<Streams> {
    let mut streams = Streams::new();
    streams.add(Attachments(Rc::clone(clinic), Padding::Padme))?;
    streams.add(Attachments(Rc::clone(clinic), Padding::None))?;
    streams.add(age::Age::new())?;
    streams.add(sodium::SecretStream::new()?)?;
    streams.add(raw::Raw::new())?;
    streams.add(aws::Aws::new()?)?;
    Ok(streams)
}
