"""DER and key records for tests, built from numbers so that nobody has to trust a blob."""

from __future__ import annotations

from base64 import b64encode

RSA = bytes.fromhex("300d06092a864886f70d0101010500")


def element(tag: int, body: bytes) -> bytes:
    size = len(body)
    head = bytes([size]) if size < 128 else bytes([0x80 | (size.bit_length() + 7) // 8])
    if size >= 128:
        head += size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([tag]) + head + body


def integer(value: int) -> bytes:
    return element(2, value.to_bytes(value.bit_length() // 8 + 1))


def modulus(bits: int) -> int:
    """An odd number of so many bits without small factors or special marks; nobody has its factors."""
    value = (1 << (bits - 1)) + (int.from_bytes(b"mailguard") << (bits // 2)) + 1
    while any(value % prime == 0 for prime in range(3, 168, 2)) or value % 11 != 2:
        value += 2
    return value


def rsa_public_key(bits: int, exponent: int = 65537) -> bytes:
    return element(0x30, integer(modulus(bits)) + integer(exponent))


def spki(bits: int, exponent: int = 65537) -> bytes:
    return element(0x30, RSA + element(3, b"\0" + rsa_public_key(bits, exponent)))


def record(octets: bytes, tags: str = "v=DKIM1; k=rsa") -> bytes:
    return f"{tags}; p={b64encode(octets).decode()}".encode()


def rsa_text(bits: int) -> str:
    return record(spki(bits)).decode()


def zone_txt(owner: str, octets: bytes) -> str:
    """One zone line, split into character-strings as a DNS panel should."""
    strings = [octets[start : start + 200].decode() for start in range(0, len(octets), 200)]
    return f"{owner} TXT " + " ".join(f'"{string}"' for string in strings)
