"""The short way through a plain mail: one part, or multiparts of plain parts, as nearly every reporter sends it.

The e-mail parser handles every line of a mail by itself and costs more than reading a small report. A mail that has
nothing unusual about it needs a few searches instead. Whatever is not plain (``None``) goes to the parser; where both
can read a mail, both find the same files. Every step is linear in the size of the mail.
"""

from __future__ import annotations

import re
from binascii import Error, a2b_base64
from collections.abc import Iterator
from typing import Final, NamedTuple

from mailguard.feedback.kinds import Kind, claims_to_be_report, is_letter, kind_of
from mailguard.feedback.limits import Limits

_MOST_PARTS: Final = 20
_MOST_CONTAINERS: Final = 8

_FIELDS: Final = re.compile(rb"(?:[!-9;-~]+:[^\n]*\n(?:[ \t][^\n]*\n)*)*")
_FIELD: Final = re.compile(
    rb"^(content-type|content-transfer-encoding|content-disposition):((?:[^\n]|\n[ \t])*)", re.IGNORECASE | re.MULTILINE
)
_LEAF: Final = re.compile(rb"(?:text|application)/[a-z0-9.+-]+\Z")
_MULTIPART: Final = re.compile(rb"multipart/(?:mixed|report|related|alternative)\Z")
_PARAMETER: Final = re.compile(rb""";[ ]*([a-z-]+)=(?:"([^"\\%]*)"|([^\s()<>@,;:\\"/\[\]?=%']+))[ ]*""")
_BOUNDARY: Final = re.compile(rb"[!-~]{1,70}\Z")
_BASE64: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/\n"
_SEALED: Final = frozenset({b"application/pkcs7-mime", b"application/x-pkcs7-mime"})

Leaf = tuple[str, bytes]
"""Name and decoded content of a part."""


class Part(NamedTuple):
    """A leaf of a mail. ``is_letter``: it is text for people, no file."""

    name: str
    content: bytes
    is_letter: bool


class _NotPlain(Exception):
    pass


def plain_leaves(mail: bytes, limits: Limits) -> list[Part] | None:
    """Every part, or ``None`` for a mail that is not plain or goes beyond a bound of ``Limits``."""
    if len(mail) > limits.mail_bytes:
        return None
    line_end = b"\n"
    if b"\r" in mail:
        line_end = b"\r\n"
        lines = mail.count(b"\n")
        if not lines == mail.count(b"\r") == mail.count(b"\r\n"):
            return None
        mail = mail.replace(b"\r\n", b"\n")
    if mail.count(b"\n") > limits.lines:
        return None
    try:
        return list(_Leaves(line_end, limits).inside(mail))
    except _NotPlain:
        return None


class _Leaves:
    """Goes through the parts as the parser's tree would be gone through, and numbers them alike."""

    def __init__(self, line_end: bytes, limits: Limits) -> None:
        self._line_end = line_end
        self._limits = limits
        self._parts = 0
        self._containers = 0

    def inside(self, text: bytes) -> Iterator[Part]:
        """The leaves of a mail or part. Bounds: 20 parts, and ``containers`` of the limits, but never more than 8."""
        self._parts += 1
        fields, body = _split(text, self._limits)
        kind, parameters = _content_type(fields)
        if not _MULTIPART.match(kind):
            yield _leaf(kind, parameters, fields, body, self._parts, self._line_end)
            return
        self._containers += 1
        if self._containers > min(self._limits.containers, _MOST_CONTAINERS):
            raise _NotPlain
        parts = _cut(body, parameters.get(b"boundary", b""))
        if self._parts + len(parts) > _MOST_PARTS:
            raise _NotPlain
        for part in parts:
            yield from self.inside(part)


def _split(text: bytes, limits: Limits) -> tuple[dict[bytes, bytes], bytes]:
    """The fields that matter, by name, and the body."""
    head, gap, body = text.partition(b"\n\n")
    head += b"\n"
    if text.startswith(b"\n"):  # a part without any field
        return {}, text[1:]
    if not gap or len(head) > limits.header_bytes or head.count(b"\n") > limits.headers or not _FIELDS.fullmatch(head):
        raise _NotPlain
    fields: dict[bytes, bytes] = {}
    for name, value in _FIELD.findall(head):
        if name.lower() in fields or len(value) > 1_000:
            raise _NotPlain
        fields[name.lower()] = b" ".join(value.split())
    return fields, body


def _content_type(fields: dict[bytes, bytes]) -> tuple[bytes, dict[bytes, bytes]]:
    kind, gap, rest = fields.get(b"content-type", b"text/plain").partition(b";")
    return kind.strip().lower(), _parameters(gap + rest)


def _parameters(text: bytes) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    at = 0
    while match := _PARAMETER.match(text, at):
        name = match[1].lower() if match[1] else b""
        if name in found:
            raise _NotPlain
        found[name] = match[2] if match[2] is not None else match[3]
        at = match.end()
    if text[at:].strip(b"; "):
        raise _NotPlain
    return found


def _cut(body: bytes, boundary: bytes) -> list[bytes]:
    """The texts between the delimiters. The line end before a delimiter belongs to it (RFC 2046 5.1.1)."""
    if not _BOUNDARY.match(boundary):
        raise _NotPlain
    _, *parts = (b"\n" + body).split(b"\n--" + boundary)
    closed = parts.pop() if parts else b""
    # Anything else after the boundary makes it another boundary, or a line with blanks at its end.
    if not parts or not (closed == b"--" or closed.startswith(b"--\n")):
        raise _NotPlain
    if not all(part.startswith(b"\n") for part in parts):
        raise _NotPlain
    return [part[1:] for part in parts]


def _leaf(
    kind: bytes, parameters: dict[bytes, bytes], fields: dict[bytes, bytes], body: bytes, number: int, line_end: bytes
) -> Part:
    if not _LEAF.match(kind) or kind in _SEALED:
        raise _NotPlain
    _, gap, rest = fields.get(b"content-disposition", b"").partition(b";")
    name = _parameters(gap + rest).get(b"filename") or parameters.get(b"name") or b""
    if not name.isascii() or b"=?" in name:
        raise _NotPlain
    content = _decode(body, fields.get(b"content-transfer-encoding", b"").lower(), line_end)
    place = " ".join(name.decode("ascii").split())[:200] or f"part {number}"
    # The other way also looks for a report in the text as it stands.
    if claims_to_be_report(place) and kind_of(content) is Kind.OTHER:
        raise _NotPlain
    return Part(place, content, is_letter(kind.decode("ascii"), place))


def _decode(body: bytes, encoding: bytes, line_end: bytes) -> bytes:
    if encoding == b"base64":
        text = body.rstrip(b"=\n")
        if text.translate(None, _BASE64):
            raise _NotPlain
        try:
            return a2b_base64(body)
        except Error as error:
            raise _NotPlain from error
    if encoding in (b"", b"7bit", b"8bit", b"binary"):
        return body.replace(b"\n", line_end)
    raise _NotPlain
