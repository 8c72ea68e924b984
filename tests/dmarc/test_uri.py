"""Report destinations as published in rua and ruf."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.dmarc.uri import UriFlaw, host_of, parse_uris


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("mailto:dmarc@example.jp", "dmarc@example.jp"),
        ("MAILTO:dmarc@Example.JP", "dmarc@example.jp"),
        ("mailto:%22a%2Cb%22@example.jp", '"a,b"@example.jp'),
        ("mailto:a%21b@example.jp", "a!b@example.jp"),
        ("mailto:a@example.jp?subject=DMARC", "a@example.jp"),
        ("mailto:a@%E7%97%85%E9%99%A2.example", "a@xn--0rys90e.example"),
    ],
)
def test_mail_addresses(text: str, address: str) -> None:
    (uri,) = parse_uris(text)
    assert (uri.address, uri.flaw) == (address, None)


def test_several_with_blanks_keep_their_places() -> None:
    value = "mailto:a@example.jp ,\t mailto:b@example.com!10m"
    first, second = parse_uris(value, position=100)
    assert (first.position, second.position) == (100, 100 + value.index("mailto:b"))
    assert (second.text, second.size_limit, second.usable) == ("mailto:b@example.com", "10m", True)


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("dmarc@example.jp", UriFlaw.NO_SCHEME),
        ("", UriFlaw.NO_SCHEME),
        ("https://report.example/", UriFlaw.NOT_MAILTO),
        ("mailto:a!b@example.jp", UriFlaw.BANG),
        ("mailto:a@example.jp!10x", UriFlaw.BANG),
        ("mailto:a b@example.jp", UriFlaw.BAD_CHARACTER),
        ("mailto:<a@example.jp>", UriFlaw.BAD_CHARACTER),
        ("mailto:病院@example.jp", UriFlaw.BAD_CHARACTER),
        ("mailto:%zz@example.jp", UriFlaw.BAD_CHARACTER),
        ("mailto:", UriFlaw.BAD_ADDRESS),
        ("mailto:example.jp", UriFlaw.BAD_ADDRESS),
        ("mailto:@example.jp", UriFlaw.BAD_ADDRESS),
        ("mailto://a@example.jp", UriFlaw.BAD_ADDRESS),
        ("mailto:mailto:a@example.jp", UriFlaw.BAD_ADDRESS),
        ("mailto:a@example..jp", UriFlaw.BAD_ADDRESS),
        ("mailto:a@-.jp", UriFlaw.BAD_ADDRESS),
        ("mailto:a%2Cb@example.jp", UriFlaw.BAD_ADDRESS),  # RFC 5322 3.2.3: a comma needs quotes, too
    ],
)
def test_flaws(text: str, flaw: UriFlaw) -> None:
    (uri,) = parse_uris(text)
    assert uri.flaw is flaw
    assert not uri.usable
    assert uri.valid == (flaw is UriFlaw.NOT_MAILTO)


def test_an_unescaped_comma_splits_the_address() -> None:
    assert [uri.flaw for uri in parse_uris("mailto:a,b@example.jp")] == [UriFlaw.BAD_ADDRESS, UriFlaw.NO_SCHEME]


@given(st.text(max_size=200))
def test_never_raises(text: str) -> None:
    for uri in parse_uris(text):
        assert uri.usable == bool(uri.address)
    host_of(text)
