//! What the process does: the life of a small vault in both suites, with its error paths.

use std::convert::Infallible;
use std::io::{Cursor, Read, Write};

use lukko::rand_core::{TryCryptoRng, TryRng};
use lukko::*;
use zeroize::Zeroizing;

use crate::Outcome;

/// SplitMix64, which shows every draw to whoever listens. Never for keys that matter.
pub(crate) struct Draws<'a> {
    state: u64,
    listener: &'a mut dyn FnMut(&[u8]),
}

impl TryRng for Draws<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.try_next_u64()? as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        Ok(z ^ (z >> 31))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            let word = self.try_next_u64()?.to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        (self.listener)(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Draws<'_> {}

/// What the control keeps alive.
pub(crate) struct Kept {
    pub(crate) masters: Vec<MasterKey>,
    pub(crate) shares: Vec<Share>,
    pub(crate) members: Vec<MemberKey>,
    pub(crate) patients: Vec<PatientKey>,
    pub(crate) notes: Vec<Plaintext>,
}

/// Everything once, in both suites; `listener` gets every draw, and every note that is sealed.
pub(crate) fn whole_life(seed: u64, listener: &mut dyn FnMut(&[u8])) -> Outcome<Kept> {
    let mut kept =
        Kept { masters: Vec::new(), shares: Vec::new(), members: Vec::new(), patients: Vec::new(), notes: Vec::new() };
    for (number, suite) in [Suite::XWing, Suite::X25519].into_iter().enumerate() {
        let mut rng = Draws { state: seed.wrapping_mul(1_000_003) + number as u64, listener };
        life(suite, &mut rng, &mut kept)?;
    }
    Ok(kept)
}

fn life(suite: Suite, rng: &mut Draws<'_>, kept: &mut Kept) -> Outcome<()> {
    let registrar = RegistrarKey::generate(rng)?;
    let NewVault { descriptor, shares, master } = create(Policy::new(2, 3)?, suite, &registrar.public(), rng)?;
    let pin = Pin::new(descriptor.fingerprint(), &descriptor)?;
    let pinned = pin.check(descriptor.clone())?;
    let therapist = pinned.new_member(MemberId::new("dr-salo")?, rng)?;
    let intake = pinned.new_member(MemberId::new("intake")?, rng)?;
    let mut draft = RosterDraft::first(&pinned);
    draft.admit(&MemberEntry::verify(therapist.entry(), &pinned)?, Roles::READ | Roles::ENROL)?;
    draft.admit(&MemberEntry::verify(intake.entry(), &pinned)?, Roles::DEPOSIT)?;
    let roster = draft.sign_as_registrar(&registrar, &pinned)?;
    let vault = Vault::load(pin, descriptor.as_bytes(), &roster, [therapist.entry(), intake.entry()])?;
    let patient = PatientId::new("p-1")?;
    let Enrolment { card, endorsement, master_grant, key, .. } =
        vault.enrol(Enroller::Member(&therapist), patient, rng)?;
    let grant = vault.grant(&key, therapist.fingerprint(), rng)?.bytes;
    let stored = StoredPatient { cards: &[&card], endorsement: &endorsement, master_grant: &master_grant };
    let card = vault.card(patient, &stored, None)?;
    let again = vault.open_grant(&card, &therapist, &grant)?;
    kept.notes.extend(records(&vault, &again, rng)?);
    kept.notes.push(deposits(&vault, &card, &intake, &key, rng)?);
    attachments(&vault, &key, rng)?;
    kept.shares.extend(recover(&pinned, &card, &vault, shares)?);
    errors(&vault, &card, &therapist, &grant);
    let next = vault.rekey(Enroller::Root(&master), &key, rng)?;
    kept.masters.push(master);
    kept.members.extend([therapist, intake]);
    kept.patients.extend([key, again, next.key]);
    Ok(())
}

fn note(rng: &mut Draws<'_>, length: usize) -> Zeroizing<Vec<u8>> {
    let mut note = Zeroizing::new(vec![0; length]);
    rng.try_fill_bytes(&mut note).unwrap_or(());
    note
}

fn records(vault: &Vault, key: &PatientKey, rng: &mut Draws<'_>) -> Outcome<Vec<Plaintext>> {
    let mut opened = Vec::new();
    for (number, length) in [40, 1_000, 40_000].into_iter().enumerate() {
        let note = note(rng, length);
        let id = format!("r-{number}");
        let (record, field) = (RecordId::new(&id)?, FieldLabel::new("note")?);
        let mut sealed =
            vault.seal(key, &RecordContext::new(Place::new(record, field), Revision::FIRST), &note, rng)?;
        opened.push(vault.open(key, Place::new(record, field), &sealed)?.plaintext);
        // Every error path of an opening: the wrap, the commitment, the first chunk, the last tag.
        for at in [80, 150, 200, sealed.len() - 1] {
            sealed[at] ^= 1;
            vault.open(key, Place::new(record, field), &sealed).err().ok_or("an altered record opened")?;
            sealed[at] ^= 1;
        }
    }
    Ok(opened)
}

fn deposits(
    vault: &Vault,
    card: &Card,
    intake: &MemberKey,
    key: &PatientKey,
    rng: &mut Draws<'_>,
) -> Outcome<Plaintext> {
    let note = note(rng, 300);
    let field = FieldLabel::new("intake")?;
    let Deposit { record, bytes } = vault.deposit(card, intake, field, Padding::Padme, &note, rng)?;
    let record = RecordId::new(&record)?;
    drop(vault.open_deposit(key, Place::new(record, field), &bytes)?);
    let absorbed = vault.absorb(key, Place::new(record, field), &bytes, rng)?;
    Ok(vault.open_deposit(key, Place::new(record, field), &absorbed)?.plaintext)
}

fn attachments(vault: &Vault, key: &PatientKey, rng: &mut Draws<'_>) -> Outcome<()> {
    let (record, field) = (RecordId::new("a-1")?, FieldLabel::new("scan")?);
    let text = note(rng, 40_000);
    let context = RecordContext::new(Place::new(record, field), Revision::FIRST);
    let mut writer = vault.seal_attachment(key, &context, Vec::new(), rng)?;
    writer.write_all(&text)?;
    let sealed = writer.finish()?;
    let mut reader = vault.open_attachment(key, Place::new(record, field), Cursor::new(&sealed))?;
    let mut buffer = Zeroizing::new(vec![0; 4_096]);
    while reader.read(&mut buffer)? > 0 {}
    Ok(())
}

fn recover(pinned: &PinnedDescriptor, card: &Card, vault: &Vault, shares: Vec<Share>) -> Outcome<Vec<Share>> {
    let mut recovery = Recovery::new(pinned);
    let mut kept = Vec::new();
    for (number, share) in shares.into_iter().enumerate() {
        let text = share.to_text();
        let again = Share::from_text(text.expose())?;
        if number < 2 {
            recovery.add(share)?;
            recovery.add(again).err().ok_or("a share was taken twice")?;
        } else {
            kept.push(share);
        }
    }
    let master = recovery.finish()?;
    drop(vault.break_glass(card, &master)?);
    Ok(kept)
}

fn errors(vault: &Vault, card: &Card, therapist: &MemberKey, grant: &[u8]) {
    let mut altered = grant.to_vec();
    for at in [110, altered.len() - 1] {
        altered[at] ^= 1;
        drop(vault.open_grant(card, therapist, &altered));
        altered[at] ^= 1;
    }
}
