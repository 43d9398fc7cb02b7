//! A court asks for one note, and receives a copy of that note and nothing else.
//!
//! The copy is sealed to the court under a key of its own and signed by the therapist. No key of the vault leaves it.
//!
//! ```sh
//! cargo run --example disclosure
//! ```

#[path = "shared/clinic.rs"]
mod clinic;

use std::error::Error;

use clinic::{Clinic, brief, refused};
use lukko::error::{Untrusted, Usage};
use lukko::*;

fn main() -> Result<(), Box<dyn Error>> {
    let rng = &mut OsRng;
    let (clinic, patient, _) = Clinic::open()?;
    let (record, field) = (RecordId::new("r-17")?, FieldLabel::new("note")?);
    let place = RecordContext::new(Place::new(record, field), Revision::FIRST);
    let sealed = clinic.vault.seal(&patient.key, &place, b"Was with me on 3 May, from two to three.", rng)?;

    println!("The court makes a key and sends its public half");
    let court = RecipientKey::generate(Suite::XWing, rng)?;
    let sent = court.public().as_bytes();

    println!("Dr Salo compares the fingerprint by telephone, then discloses one note");
    let to = RecipientPublicKey::from_bytes(Suite::XWing, sent)?;
    println!("  {}", brief(&to.fingerprint()));
    if to.fingerprint() != court.public().fingerprint() {
        return Err("this is not the court's key".into());
    }
    let note = StoredNote { place: Place::new(record, field), path: Path::Reader, bytes: &sealed };
    let disclosed = clinic.vault.disclose(&patient.key, &note, &to, &clinic.salo, rng)?;
    println!("  {} bytes are sent", disclosed.len());

    println!("The court opens it with what is public of the vault");
    // The fingerprint of the descriptor came in a letter, not with the files.
    let descriptor = Descriptor::parse(&clinic.descriptor)?;
    let pin = Pin::new(clinic.vault.pin().fingerprint(), &descriptor)?;
    let public = Vault::load(pin, &clinic.descriptor, &clinic.roster, &clinic.entries)?;
    let opened = public.open_disclosure(&court, &disclosed)?;
    let name = public.roster().member(opened.signer)?.entry().id().escape_ascii();
    let [patient, record] = [&opened.patient, &opened.record].map(|id| id.escape_ascii());
    println!("  {:?}", String::from_utf8_lossy(&opened.plaintext));
    println!("  patient {patient}, record {record}, revision {}, signed by {name}", opened.revision.get());

    println!("Nobody changes it on the way, and nobody else opens it");
    let mut altered = disclosed.clone();
    *altered.last_mut().ok_or("it is empty")? ^= 1;
    let reason = Untrusted::DisclosureSignature(clinic.salo.fingerprint());
    refused("one bit is altered", public.open_disclosure(&court, &altered), reason)?;
    let press = RecipientKey::generate(Suite::XWing, rng)?;
    let reason = Usage::WrongRecipient { addressed_to: to.fingerprint() };
    refused("a newspaper gets hold of it", public.open_disclosure(&press, &disclosed), reason)?;
    // Who disputes what the therapist disclosed asks anyone: it takes no key to verify the signature.
    println!("  signed by key {}", brief(&public.disclosure_signer(&disclosed)?));
    Ok(())
}
