//! Deposited attachments: who wrote them, and what that is worth before and after the whole was read.

use std::io::{Cursor, ErrorKind, Read, Seek, SeekFrom, Write};

use lukko::error::{Untrusted, Usage};
use lukko::*;

use super::super::clinic::TestRng;
use super::*;

/// Length of digest and signature behind the payload.
const TRAILER: usize = 96;

/// Length of a front: head (48), writer (32), roster version (8), encapsulation, key (32) and tag (16).
fn front_len(suite: Suite) -> usize {
    match suite {
        Suite::X25519 => 48 + 32 + 8 + 32 + 48,
        _ => 48 + 32 + 8 + 1_120 + 48,
    }
}

pub(super) fn deposit_with(clinic: &Clinic, padding: Padding, text: &[u8], rng: &mut TestRng) -> (String, Vec<u8>) {
    let card = clinic.card(None).unwrap();
    let (vault, sink) = (&clinic.vault, Vec::new());
    let mut writer = vault.deposit_attachment(&card, &clinic.front_end, field(), padding, sink, rng).unwrap();
    let record = writer.record().to_owned();
    writer.write_all(text).unwrap();
    (record, writer.finish().unwrap())
}

fn open_deposited<'a>(
    clinic: &Clinic,
    record: &str,
    sealed: &'a [u8],
) -> io::Result<DepositedAttachment<Cursor<&'a [u8]>>> {
    let (key, record) = (&clinic.patient.key, RecordId::new(record).unwrap());
    clinic.vault.open_deposited_attachment(key, Place::new(record, field()), Cursor::new(sealed))
}

#[test]
fn a_deposited_attachment_comes_back_with_its_writer() {
    for suite in super::super::clinic::SUITES {
        let clinic = Clinic::new(suite, 0xD0);
        let mut rng = TestRng::new(0xD00);
        for padding in PADDINGS {
            for len in LENGTHS {
                let text = text(len);
                let (record, sealed) = deposit_with(&clinic, padding, &text, &mut rng);
                assert_eq!(path_of(&sealed), Ok(Path::DepositedAttachment));
                // A reader's front has 120 bytes; all else is the same, and the trailer comes after it.
                let expected = sealed_len(len, padding).unwrap() - 120 + front_len(suite) + TRAILER;
                assert_eq!((record.len(), sealed.len()), (32, expected));

                let mut deposited = open_deposited(&clinic, &record, &sealed).unwrap();
                assert_eq!(deposited.claimed_writer(), clinic.front_end.fingerprint());
                assert_eq!((deposited.padding(), deposited.plaintext_len().unwrap()), (padding, len as u64));
                let (read, end) = read_out(&mut deposited);
                end.unwrap();
                assert!(read == text);
                let reader = deposited.verify_authorship().unwrap();
                assert_eq!(reader.origin(), Origin::Deposit { writer: clinic.front_end.fingerprint() });
                assert_eq!(reader.revision(), Revision::DEPOSIT);
                let (read, end) = read_out(reader);
                end.unwrap();
                assert!(read == text, "{len} bytes from the beginning");
            }
        }
    }
}

/// The calls for other paths refuse it by name, and say which call is the right one.
#[test]
fn each_path_has_its_call() {
    let mut clinic = clinic(0xD1);
    let (id, sealed) = deposit_with(&clinic, Padding::Padme, b"text", &mut TestRng::new(0xD10));
    let (key, record) = (&clinic.patient.key, RecordId::new(&id).unwrap());
    let met = Error::Usage(Usage::WrongPath { met: Path::DepositedAttachment });
    assert_eq!(clinic.vault.open(key, Place::new(record, field()), &sealed).unwrap_err(), met);
    assert_eq!(clinic.vault.open_deposit(key, Place::new(record, field()), &sealed).unwrap_err(), met);
    let refused = clinic.vault.open_attachment(key, Place::new(record, field()), Cursor::new(&sealed)).unwrap_err();
    assert_eq!(refusal(&refused), &met);
    let read = seal(&mut clinic, Padding::Padme, b"text");
    let refused = open_deposited(&clinic, "r-00000", &read).unwrap_err();
    assert_eq!(refusal(&refused), &Error::Usage(Usage::WrongPath { met: Path::Reader }));
    // The path byte alone turned: the front is of another length.
    for path in 1..=3 {
        let mut turned = sealed.clone();
        turned[6] = path;
        assert!(
            clinic.vault.open(&clinic.patient.key, Place::new(RecordId::new(&id).unwrap(), field()), &turned).is_err()
        );
        assert!(open_deposited(&clinic, &id, &turned).is_err());
    }
}

/// Every byte before the payload and of the trailer is signed or is the signature: nothing opens, and no secret has
/// been used where the signature decides.
#[test]
fn a_forged_front_or_trailer_is_refused() {
    let clinic = clinic(0xD2);
    let text = text(20_000);
    let (id, sealed) = deposit_with(&clinic, Padding::Padme, &text, &mut TestRng::new(0xD20));
    let by_signature = Error::Untrusted(Untrusted::DepositSignature(clinic.front_end.fingerprint()));
    for at in sealed.len() - TRAILER..sealed.len() {
        let mut forged = sealed.clone();
        forged[at] ^= 1;
        let refused = open_deposited(&clinic, &id, &forged).unwrap_err();
        assert_eq!((refusal(&refused), refused.kind()), (&by_signature, ErrorKind::PermissionDenied), "byte {at}");
    }
    for at in 0..front_len(Suite::X25519) {
        let mut forged = sealed.clone();
        forged[at] ^= 1;
        let refused = open_deposited(&clinic, &id, &forged).unwrap_err();
        let expected = match at {
            0..7 | 39..47 => matches!(refusal(&refused), Error::Malformed { .. } | Error::Usage(_)),
            7..39 => matches!(refusal(&refused), Error::Usage(Usage::WrongCard { .. })),
            48..80 => matches!(refusal(&refused), Error::Untrusted(Untrusted::UnknownMember(_))),
            // Version 1 turned into a greater one, or into 0.
            80..88 => matches!(refusal(&refused), Error::Stale { .. }) || refusal(&refused) == &by_signature,
            47 | 88.. => refusal(&refused) == &by_signature,
        };
        assert!(expected, "byte {at}: {refused:?}");
    }
    // In another place, or of another field.
    let refused = open_deposited(&clinic, "r-00000", &sealed).unwrap_err();
    assert_eq!(refusal(&refused), &by_signature);
}

/// A second writer signs what the first deposited, or is named in the front; and a member without the role is named.
#[test]
fn another_writers_signature_is_refused() {
    let mut clinic = clinic(0xD3);
    let second = clinic.pinned.new_member(MemberId::new("intake-2").unwrap(), &mut clinic.rng).unwrap();
    let mut draft = clinic.vault.roster().next().unwrap();
    draft.admit(&MemberEntry::verify(second.entry(), &clinic.pinned).unwrap(), Roles::DEPOSIT).unwrap();
    let roster = draft.sign_as_registrar(&clinic.registrar, &clinic.pinned).unwrap();
    let entries = [clinic.therapist.entry(), clinic.front_end.entry(), second.entry()];
    clinic.vault.update_roster(&roster, entries).unwrap();

    // Both with a generator that repeats itself: one id, one record key, one text, so that only the writers differ.
    let text = text(20_000);
    let (id, of_first) = deposit_with(&clinic, Padding::None, &text, &mut TestRng::new(0xD30));
    let first = std::mem::replace(&mut clinic.front_end, second);
    let (same_id, of_second) = deposit_with(&clinic, Padding::None, &text, &mut TestRng::new(0xD30));
    assert_eq!(id, same_id);
    let (first, second) = (first.fingerprint(), clinic.front_end.fingerprint());
    assert_eq!(open_deposited(&clinic, &id, &of_first).unwrap().claimed_writer(), first);
    assert_eq!(open_deposited(&clinic, &id, &of_second).unwrap().claimed_writer(), second);

    let trailer_at = of_first.len() - TRAILER;
    let signed_by_second = [&of_first[..trailer_at], &of_second[trailer_at..]].concat();
    let (mut renamed, mut both) = (of_first.clone(), signed_by_second.clone());
    renamed[48..80].copy_from_slice(second.as_bytes());
    both[48..80].copy_from_slice(second.as_bytes());
    let reader = clinic.therapist.fingerprint();
    let mut to_a_reader = of_first;
    to_a_reader[48..80].copy_from_slice(reader.as_bytes());
    for (forged, expected) in [
        (signed_by_second, Untrusted::DepositSignature(first)),
        (renamed, Untrusted::DepositSignature(second)),
        (both, Untrusted::DepositSignature(second)),
        (to_a_reader, Untrusted::Role(reader)),
    ] {
        let refused = open_deposited(&clinic, &id, &forged).unwrap_err();
        assert_eq!(refusal(&refused), &Error::Untrusted(expected));
    }
}

/// Revoked: refused by name, on both sides. Retired: what was deposited opens, nothing new is.
#[test]
fn a_revoked_writer_is_refused_by_name() {
    for (status, refused_as) in [
        (Status::Retired, Untrusted::Retired as fn(KeyFingerprint) -> Untrusted),
        (Status::Revoked, Untrusted::Revoked as fn(KeyFingerprint) -> Untrusted),
    ] {
        let mut clinic = clinic(0xD4);
        let (id, sealed) = deposit_with(&clinic, Padding::Padme, b"text", &mut TestRng::new(0xD40));
        let writer = clinic.front_end.fingerprint();
        clinic.next_roster(|draft| {
            draft.set_status(writer, status).unwrap();
        });
        let expected = Error::Untrusted(refused_as(writer));
        let opened = open_deposited(&clinic, &id, &sealed);
        match status {
            Status::Revoked => assert_eq!(refusal(&opened.unwrap_err()), &expected),
            _ => assert!(opened.unwrap().verify_authorship().is_ok()),
        }
        let (card, sink) = (clinic.card(None).unwrap(), Vec::new());
        let (key, rng) = (&clinic.front_end, &mut TestRng::new(0xD41));
        let refused = clinic.vault.deposit_attachment(&card, key, field(), Padding::None, sink, rng).unwrap_err();
        assert_eq!((refusal(&refused), refused.kind()), (&expected, ErrorKind::PermissionDenied));
    }
    // And who has no such role never was a writer.
    let clinic = clinic(0xD5);
    let (card, rng) = (clinic.card(None).unwrap(), &mut TestRng::new(0xD51));
    let refused = clinic.vault.deposit_attachment(&card, &clinic.therapist, field(), Padding::None, Vec::new(), rng);
    let expected = Error::Untrusted(Untrusted::Role(clinic.therapist.fingerprint()));
    assert_eq!(refusal(&refused.unwrap_err()), &expected);
}

/// Who knows the record key writes another text under it. The generator that repeats itself stands for that knowledge:
/// the same id, record key and salt, for two texts. Reading shows no difference; the digest does.
#[test]
fn a_holder_of_the_record_key_who_rewrites_is_found_out_by_authorship_only() {
    let clinic = clinic(0xD6);
    let (true_text, false_text) = (text(50_000), vec![b'x'; 50_000]);
    let (id, original) = deposit_with(&clinic, Padding::Padme, &true_text, &mut TestRng::new(0xD60));
    let (same_id, second) = deposit_with(&clinic, Padding::Padme, &false_text, &mut TestRng::new(0xD60));
    let (front, trailer) = (front_len(Suite::X25519), original.len() - TRAILER);
    assert_eq!((&id, &original[..front + 56]), (&same_id, &second[..front + 56]), "one key, one salt");
    // The thief cannot sign; he keeps the trailer of what the writer sent.
    let rewritten = [&original[..front], &second[front..trailer], &original[trailer..]].concat();

    let mut deposited = open_deposited(&clinic, &id, &rewritten).unwrap();
    let (read, end) = read_out(&mut deposited);
    end.unwrap();
    assert!(read == false_text, "integrity alone");
    assert_eq!(refusal(&deposited.verify_authorship().unwrap_err()), &Error::NotAuthentic);
    // Also without a byte read before, and for one chunk among true ones.
    assert!(open_deposited(&clinic, &id, &rewritten).unwrap().verify_authorship().is_err());
    let chunk = front + 56 + SEALED..front + 56 + 2 * SEALED;
    let mut one_chunk = original.clone();
    one_chunk[chunk.clone()].copy_from_slice(&second[chunk]);
    assert!(open_deposited(&clinic, &id, &one_chunk).unwrap().verify_authorship().is_err());
    assert!(open_deposited(&clinic, &id, &original).unwrap().verify_authorship().is_ok());
}

/// T036, T037: the payload cut, lengthened or altered, with the writer's true trailer put behind it again.
#[test]
fn t036_t037_a_damaged_payload_under_a_true_trailer() {
    let clinic = clinic(0xD7);
    let text = text(50_000);
    for padding in PADDINGS {
        let (id, sealed) = deposit_with(&clinic, padding, &text, &mut TestRng::new(0xD70));
        let (payload, trailer) = sealed.split_at(sealed.len() - TRAILER);
        let chunks_at = front_len(Suite::X25519) + 56;
        let cuts = (0..=3).flat_map(|chunk| chunks_at + chunk * SEALED - 20..chunks_at + chunk * SEALED + 20);
        let cut = cuts.map(|at| payload[..at].to_vec());
        let longer = [1, 16, SEALED, 100_000].map(|more| [payload, &vec![7; more]].concat());
        for damaged in cut.chain(longer) {
            let damaged = [&damaged, trailer].concat();
            let refused = open_deposited(&clinic, &id, &damaged).unwrap_err();
            let expected = matches!(refusal(&refused), Error::NotAuthentic | Error::Malformed { .. });
            assert!(expected, "{} bytes: {refused:?}", damaged.len());
        }
        for cut in 0..TRAILER {
            assert!(open_deposited(&clinic, &id, &sealed[..payload.len() + cut]).is_err());
        }
        let mut altered = sealed.clone();
        altered[chunks_at + SEALED] ^= 1;
        let mut deposited = open_deposited(&clinic, &id, &altered).unwrap();
        let (read, end) = read_out(&mut deposited);
        assert!(read == text[..CHUNK]);
        assert_eq!(refusal(&end.unwrap_err()), &Error::NotAuthentic);
        // T040: it stays so, and authorship is not asked any more.
        for _ in 0..10 {
            assert_eq!(refusal(&deposited.read(&mut [0; 9]).unwrap_err()), &Error::NotAuthentic);
            assert_eq!(refusal(&deposited.seek(SeekFrom::Start(0)).unwrap_err()), &Error::NotAuthentic);
        }
        assert_eq!(refusal(&deposited.verify_authorship().unwrap_err()), &Error::NotAuthentic);
        let unread = open_deposited(&clinic, &id, &altered).unwrap();
        assert_eq!(refusal(&unread.verify_authorship().unwrap_err()), &Error::NotAuthentic);
    }
}

/// What the writer has not finished has no signature, and so never opens.
#[test]
fn a_deposit_that_is_dropped_leaves_nothing_that_opens() {
    let clinic = clinic(0xD8);
    let card = clinic.card(None).unwrap();
    for len in LENGTHS {
        let (mut sink, rng) = (Vec::new(), &mut TestRng::new(0xD80));
        let (vault, key) = (&clinic.vault, &clinic.front_end);
        let mut writer = vault.deposit_attachment(&card, key, field(), Padding::None, &mut sink, rng).unwrap();
        let id = writer.record().to_owned();
        writer.write_all(&text(len)).unwrap();
        writer.flush().unwrap();
        drop(writer);
        assert_eq!(sink.len(), front_len(Suite::X25519) + 56 + len / CHUNK * SEALED);
        let refused = open_deposited(&clinic, &id, &sink).unwrap_err();
        assert!(matches!(refusal(&refused), Error::Malformed { .. } | Error::Untrusted(_)), "{len}: {refused:?}");
    }
}
