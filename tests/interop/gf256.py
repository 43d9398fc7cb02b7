"""GF(2^8) with x^8 + x^4 + x^3 + x^2 + 1 and Lagrange interpolation (FORMAT.md, section 4, Sharing)."""

from __future__ import annotations

POLYNOMIAL = 0x11D


def multiply(a: int, b: int) -> int:
    """Carry-less product, reduced."""
    product = 0
    while b:
        if b & 1:
            product ^= a
        a <<= 1
        if a & 0x100:
            a ^= POLYNOMIAL
        b >>= 1
    return product


def inverse(a: int) -> int:
    """a^254; a is not zero."""
    result, power = 1, a
    for _ in range(7):
        power = multiply(power, power)
        result = multiply(result, power)
    return result


def interpolate(points: list[tuple[int, bytes]], at: int) -> bytes:
    """The bytes at `at` of the polynomials through the points, whose x are distinct."""
    out = bytearray(len(points[0][1]))
    for x, y in points:
        weight = 1
        for other, _ in points:
            if other != x:
                weight = multiply(weight, multiply(at ^ other, inverse(x ^ other)))
        for place, value in enumerate(y):
            out[place] ^= multiply(weight, value)
    return bytes(out)
