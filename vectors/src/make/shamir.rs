//! Shamir sharing over GF(2^8), polynomial 0x11D, one byte at a time.

fn mul(mut a: u8, mut b: u8) -> u8 {
    let mut product = 0;
    while b != 0 {
        if b & 1 == 1 {
            product ^= a;
        }
        a = (a << 1) ^ if a & 0x80 == 0 { 0 } else { 0x1D };
        b >>= 1;
    }
    product
}

/// a^254, the inverse of every a but 0.
fn inverse(a: u8) -> u8 {
    (0..254).fold(1, |power, _| mul(power, a))
}

/// The value at `x` of the polynomial of lowest degree through the points.
pub(crate) fn interpolate(points: &[(u8, [u8; 32])], x: u8) -> [u8; 32] {
    let mut out = [0; 32];
    for (x_i, y) in points {
        let others = points.iter().filter(|(x_m, _)| x_m != x_i);
        let factor = others.fold(1, |factor, (x_m, _)| mul(mul(factor, x ^ x_m), inverse(x_i ^ x_m)));
        for (slot, byte) in out.iter_mut().zip(y) {
            *slot ^= mul(factor, *byte);
        }
    }
    out
}
