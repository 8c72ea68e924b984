"""Transfer encodings that nobody declared, told by what stands in the text.

A body that is base64 throughout, an attachment pasted into the text, uuencode in the middle of a greeting, XML that
went through an HTML page: a person sees it, so it is read. What comes out is only used where it turns out to be a
report.
"""

from __future__ import annotations

import html
import re
from binascii import Error, a2b_base64, a2b_qp, a2b_uu
from collections.abc import Iterator
from typing import Final

# What gzip, zip, "<?xml", "<feedback", a byte-order mark and "{" become in base64, at the beginning of a line.
_BASE64: Final = re.compile(
    rb"^[ \t]*(?:H4sI|UEsDB|PD94|PGZlZWRi|PHJlY29|77u/|ew[o0g]|eyJ)[A-Za-z0-9+/]*"
    rb"(?:[ \t]*\r?\n[ \t]*[A-Za-z0-9+/]+)*=*",
    re.MULTILINE,
)
_UU_BEGIN: Final = re.compile(rb"^begin [0-7]{3,4} [^\r\n]*\r?\n", re.MULTILINE)
_UU_END: Final = re.compile(rb"^end", re.MULTILINE)
_QUOTED: Final = re.compile(rb"=3[CDcd]|=22|=7[Bb]")
_QUOTED_MARKUP: Final = re.compile(rb"=3D[\"']")
_SNIFF_BYTES: Final = 4096
_ESCAPED: Final = re.compile(rb"&lt;(?:\?xml|feedback|report_metadata)")
_SHORTEST: Final = 40
_MOST: Final = 50


def hidden_files(text: bytes) -> Iterator[bytes]:
    """What the text may be once decoded, likeliest first; at most 50 candidates, each step linear in the text."""
    yield from _uudecoded(text)
    for number, found in enumerate(_BASE64.finditer(text)):
        if number >= _MOST:
            break
        if len(found[0]) >= _SHORTEST:
            yield from _unbase64(found[0])
    if _QUOTED.search(text):
        yield a2b_qp(text)
    if _ESCAPED.search(text):
        yield html.unescape(text.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


def without_quoting(markup: bytes) -> bytes:
    """Markup, freed of quoted-printable that nobody declared: no markup has ``=3D`` before a quotation mark."""
    return a2b_qp(markup) if _QUOTED_MARKUP.search(markup, 0, _SNIFF_BYTES) else markup


def _uudecoded(text: bytes) -> Iterator[bytes]:
    if b"begin " not in text:  # which is seen ten times as fast as that no line begins with it
        return
    at = 0
    while (begin := _UU_BEGIN.search(text, at)) and (end := _UU_END.search(text, begin.end())):
        at = end.end()
        content = text[begin.end() : end.start()]
        yield b"".join([_uu_line(line) for line in content.splitlines()])


def _uu_line(line: bytes) -> bytes:
    try:
        return a2b_uu(line)
    except Error:
        # Some encoders leave a blank or two too many at the end; the first character tells how many count.
        try:
            return a2b_uu(line[: 1 + (((line[0] - 32) & 63) * 4 + 5) // 3]) if line else b""
        except Error:
            return b""


def _unbase64(text: bytes) -> Iterator[bytes]:
    bare = b"".join(text.split()).rstrip(b"=")
    if len(bare) % 4 == 1:  # cut short; three characters more or less do not matter
        bare = bare[:-1]
    try:
        yield a2b_base64(bare + b"=" * (-len(bare) % 4))
    except Error:
        return
