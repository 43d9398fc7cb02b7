//! Alterations of sealed messages.

use super::*;

/// Header and sealed chunks of a message.
fn taken_apart(message: &[u8]) -> (&[u8], Vec<&[u8]>) {
    let (header, chunks) = message.split_at(HEADER_LEN);
    (header, chunks.chunks(SEALED_CHUNK_LEN).collect())
}

#[test]
fn t003_every_truncation_is_refused() {
    let message = sealed(&text(CHUNK_LEN + 300));
    for len in 0..message.len() {
        assert!(is_refused(&opened(&message[..len])), "{len}");
    }
}

#[test]
fn t004_trailing_data_is_refused() {
    for len in [0, 100, CHUNK_LEN - 1, CHUNK_LEN] {
        let message = sealed(&text(len));
        for extra in [1, 15, 16, 17, 4096, SEALED_CHUNK_LEN] {
            assert!(is_refused(&opened(&[message.as_slice(), &alloc::vec![0; extra]].concat())), "{len} {extra}");
        }
        assert!(is_refused(&opened(&message.repeat(2))), "{len}");
        assert!(is_refused(&opened(&[&message, &message[HEADER_LEN..]].concat())), "{len}");
    }
}

#[test]
fn t011_another_aead_name_is_another_key() {
    enum Renamed {}
    impl Instantiation<32> for Renamed {
        const AEAD_NAME: &'static str = "AEAD_CHACHA20_POLY1306";
        fn expand(input_key: &[u8; 32], info: &[&[u8]], okm: &mut [u8; OKM_LEN]) {
            ChaCha20Poly1305::expand(input_key, info, okm);
        }
        fn seal_in_place(key: &[u8; 32], nonce: &[u8; 12], data: &mut [u8]) -> Result<[u8; 16]> {
            ChaCha20Poly1305::seal_in_place(key, nonce, data)
        }
        fn open_in_place(key: &[u8; 32], nonce: &[u8; 12], data: &mut [u8], tag: &[u8; 16]) -> Result<()> {
            ChaCha20Poly1305::open_in_place(key, nonce, data, tag)
        }
    }
    assert_eq!(opened_as::<Renamed, 32>(&KEY, &sealed(b"note"), CONTEXT), REFUSED);
}

#[test]
fn t013_wrong_key_and_wrong_context_are_refused() {
    let message = sealed(b"note");
    for bit in 0..256 {
        let mut key = KEY;
        key[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(opened_as::<ChaCha20Poly1305, 32>(&key, &message, CONTEXT), REFUSED);
    }
    for context in [&b""[..], b"contex", b"context\0", b"Context"] {
        assert_eq!(opened_as::<ChaCha20Poly1305, 32>(&KEY, &message, context), REFUSED);
    }
}

#[test]
fn t035_only_the_true_order_of_chunks_opens() {
    let plaintext = text(3 * CHUNK_LEN + 77);
    let message = sealed(&plaintext);
    let (header, chunks) = taken_apart(&message);
    let mut whole = 0;
    // Every sequence of up to five of the four chunks: all permutations, omissions and repetitions are among them.
    for length in 0..=5 {
        for choice in 0..4_usize.pow(length) {
            let order: Vec<usize> = (0..length).map(|place| choice / 4_usize.pow(place) % 4).collect();
            let body: Vec<&[u8]> = order.iter().map(|&index| chunks[index]).collect();
            let verdict = opened(&[header, &body.concat()].concat());
            if order == [0, 1, 2, 3] {
                assert_eq!(verdict, Opened::Plaintext(plaintext.clone()));
                whole += 1;
            } else {
                assert!(is_refused(&verdict), "{order:?}");
            }
        }
    }
    assert_eq!(whole, 1);
}

#[test]
fn t036_truncation_at_chunk_boundaries_is_named() {
    let message = sealed(&text(4 * CHUNK_LEN));
    for chunks in 0..=4 {
        let boundary = HEADER_LEN + chunks * SEALED_CHUNK_LEN;
        assert_eq!(opened(&message[..boundary]), Opened::BadLength(BadLength::Truncated));
        for len in boundary + 1..boundary + TAG_LEN {
            assert_eq!(opened(&message[..len]), Opened::BadLength(BadLength::Impossible));
        }
        if chunks < 4 {
            assert_eq!(opened(&message[..boundary + TAG_LEN]), REFUSED);
        }
    }
    assert_eq!(opened(&message), Opened::Plaintext(text(4 * CHUNK_LEN)));
}

#[test]
fn t038_chunks_of_two_messages_do_not_mix() {
    let plaintext = text(3 * CHUNK_LEN + 77);
    let (one, other) = (sealed(&plaintext), sealed_with(b"another salt of 24 bytes", &plaintext));
    let ((header, own), (_, foreign)) = (taken_apart(&one), taken_apart(&other));
    for mask in 1..16 {
        let body: Vec<&[u8]> =
            (0..4).map(|index| if mask >> index & 1 == 1 { foreign[index] } else { own[index] }).collect();
        assert_eq!(opened(&[header, &body.concat()].concat()), REFUSED, "{mask:04b}");
    }
}

#[test]
fn t040_every_altered_byte_of_the_chunks_is_refused() {
    let message = sealed(&text(CHUNK_LEN + 40));
    let last_chunk = HEADER_LEN + SEALED_CHUNK_LEN;
    for place in (HEADER_LEN..last_chunk).step_by(97).chain(last_chunk - TAG_LEN..message.len()) {
        let mut altered = message.clone();
        altered[place] ^= 1 << (place % 8);
        assert_eq!(opened(&altered), REFUSED, "{place}");
    }
}

#[test]
fn t044_every_altered_bit_of_the_header_is_refused() {
    let message = sealed(&text(40));
    for bit in 0..8 * HEADER_LEN {
        let mut altered = message.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(opened(&altered), REFUSED, "{bit}");
    }
    let other = sealed_with(b"another salt of 24 bytes", &text(40));
    assert_eq!(opened(&[&message[..SALT_LEN], &other[SALT_LEN..HEADER_LEN], &message[HEADER_LEN..]].concat()), REFUSED);
    assert_eq!(opened(&[&other[..SALT_LEN], &message[SALT_LEN..]].concat()), REFUSED);
    assert_eq!(opened(&[&message[..SALT_LEN], &[0; COMMITMENT_LEN], &message[HEADER_LEN..]].concat()), REFUSED);
    assert!(is_refused(&opened(&[&message[..SALT_LEN], &message[HEADER_LEN..]].concat())));
}
