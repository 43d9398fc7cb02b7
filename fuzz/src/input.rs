//! How the fuzzer's bytes become an object.

use crate::world::World;

/// The fuzzer's bytes, taken from the front; zeros once they are used up.
pub struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    /// All of the bytes.
    #[must_use]
    pub const fn new(data: &'a [u8]) -> Self {
        Self(data)
    }

    /// Whether all bytes were taken.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        self.bytes(1).first().copied().unwrap_or(0)
    }

    /// The next two bytes as a number.
    pub fn short(&mut self) -> usize {
        usize::from(self.byte()) << 8 | usize::from(self.byte())
    }

    /// The next eight bytes as a number.
    pub fn long(&mut self) -> u64 {
        (0..8).fold(0, |number, _| number << 8 | u64::from(self.byte()))
    }

    /// At most this many of the bytes that are left.
    pub fn bytes(&mut self, most: usize) -> &'a [u8] {
        let (head, tail) = self.0.split_at(most.min(self.0.len()));
        self.0 = tail;
        head
    }

    /// One of several.
    pub fn choose<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::from(self.byte()) % from.len()]
    }

    /// A valid object with up to seven edits, or bytes of the fuzzer's own.
    pub fn object(&mut self, valid: &[&[u8]]) -> Vec<u8> {
        let which = self.byte();
        if which == RAW {
            let length = self.short();
            return self.bytes(length).to_vec();
        }
        let mut object = valid[usize::from(which) % valid.len()].to_vec();
        for _ in 0..self.byte() % 8 {
            self.edit(&mut object, valid);
        }
        object
    }

    fn edit(&mut self, object: &mut Vec<u8>, valid: &[&[u8]]) {
        let kind = self.byte() % 8;
        let at = self.short() % (object.len() + 1);
        let rest = object.len() - at;
        match kind {
            0 => put(object, at, &[self.byte()]),
            1 => {
                let bit = 1 << (self.byte() % 8);
                object.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= bit);
            }
            2 => object.truncate(at),
            3 => {
                let length = usize::from(self.byte() % 64);
                object.splice(at..at, self.bytes(length).iter().copied());
            }
            4 => drop(object.drain(at..at + self.short().min(rest))),
            5 => {
                let length = usize::from(self.byte() % 64);
                put(object, at, self.bytes(length));
            }
            6 => {
                let donor = self.choose(valid);
                let (from, length) = (self.short() % (donor.len() + 1), self.short());
                put(object, at, &donor[from..][..length.min(donor.len() - from)]);
            }
            _ => {
                let number = self.choose(&NUMBERS).to_be_bytes();
                let width = self.choose(&[1, 2, 4, 8]);
                put(object, at, &number[8 - width..]);
            }
        }
    }
}

/// Instead of a valid object: bytes of the fuzzer's own.
pub const RAW: u8 = 0xFF;
const NUMBERS: [u64; 12] =
    [0, 1, 2, 3, 7, 0x7F, 0x80, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0x7FFF_FFFF_FFFF_FFFF, u64::MAX];

/// Overwrites what is there from `at` on, and never beyond the end.
fn put(object: &mut [u8], at: usize, bytes: &[u8]) {
    object.iter_mut().skip(at).zip(bytes).for_each(|(slot, byte)| *slot = *byte);
}

/// One run of a target on one object.
pub struct Case<'a> {
    /// The world in which the object is met.
    pub world: &'static World,
    /// What is left of the fuzzer's bytes.
    pub input: Input<'a>,
    raw: Option<&'a [u8]>,
}

impl<'a> Case<'a> {
    /// An object as it is stored, in the world of the suite that it names, or the beginning of a recipe.
    #[must_use]
    pub fn new(data: &'a [u8]) -> Self {
        if data.starts_with(b"LK") {
            let world = World::of(data.get(4..6) == Some(&[0x64, 0x7A]));
            return Self { world, input: Input::new(&[]), raw: Some(data) };
        }
        let mut input = Input::new(data);
        let world = World::of(input.byte() & 3 == 3);
        Self { world, input, raw: None }
    }

    /// The object that the fuzzer wants.
    pub fn object(&mut self, valid: &[&[u8]]) -> Vec<u8> {
        match self.raw {
            Some(raw) => raw.to_vec(),
            None => self.input.object(valid),
        }
    }
}
