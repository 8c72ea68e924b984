"""Texts that were meant to be a DMARC record."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.dmarc.nearmiss import NearMiss, near_miss
from mailguard.dmarc.record import is_dmarc_record


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('"v=DMARC1; p=none"', NearMiss.QUOTES),
        ("“v=DMARC1; p=none”", NearMiss.QUOTES),
        ("v=DMARC1\\; p=none", NearMiss.QUOTES),
        ("ｖ＝ＤＭＡＲＣ１；ｐ＝none", NearMiss.FULL_WIDTH),
        ("v=DMARC1；p=none", NearMiss.FULL_WIDTH),
        ("v=DMARC1\u3000; p=none", NearMiss.FULL_WIDTH),
        (" v=DMARC1; p=none", NearMiss.LEADING_TEXT),
        ("\ufeffv=DMARC1; p=none", NearMiss.LEADING_TEXT),
        ("\u3000v=DMARC1; p=none", NearMiss.LEADING_TEXT),
        ("v=dmarc1; p=none", NearMiss.WRONG_CASE),
        ("v=Dmarc1; p=none", NearMiss.WRONG_CASE),
        ("v=DMARC2; p=none", NearMiss.WRONG_VERSION),
        ("v=DMARC10; p=none", NearMiss.WRONG_VERSION),
        ("v=DMARC; p=none", NearMiss.WRONG_VERSION),
        ("v=DMARC1.0; p=none", NearMiss.WRONG_VERSION),
        ("v=DMARC1 p=none", NearMiss.NO_SEPARATOR),
        ("v=DMARC1, p=none", NearMiss.NO_SEPARATOR),
        ("v:DMARC1; p=none", NearMiss.NO_SEPARATOR),
        ("p=none; v=DMARC1", NearMiss.NOT_FIRST),
        ("DMARC; v=DMARC1; p=none", NearMiss.NOT_FIRST),
        ("p=reject", NearMiss.NO_VERSION),
        ("rua=mailto:a@example.jp; p=none", NearMiss.NO_VERSION),
    ],
)
def test_kinds(text: str, kind: NearMiss) -> None:
    assert near_miss(text) is kind


@pytest.mark.parametrize(
    "text",
    ["", "v=DMARC1", "v=spf1 -all", "google-site-verification=abc", "v=DKIM1; p=none", "p=MIGf", "v=TLSRPTv1; rua=x"],
)
def test_other_texts_are_not_meant(text: str) -> None:
    assert near_miss(text) is None


@given(st.text(max_size=60) | st.text(alphabet='v=DMARCdmarc1; “"p\u3000＝ｖ\ufeff', max_size=40))
def test_never_raises_and_never_names_a_record(text: str) -> None:
    assert near_miss(text) is None or not is_dmarc_record(text)
