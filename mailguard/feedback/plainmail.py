"""The short way through a plain mail: one part, or multiparts of plain parts, as nearly every reporter sends it.

The e-mail parser handles every line of a mail by itself and costs more than reading a small report. A mail that has
nothing unusual about it needs a few searches instead. Whatever is not plain (``None``) goes to the parser; where both
can read a mail, both find the same files. Every step is linear in the size of the mail.
"""

from __future__ import annotations

import re
from binascii import Error, a2b_base64, a2b_qp
from collections.abc import Iterator
from typing import Final, NamedTuple

from mailguard.feedback.kinds import is_letter
from mailguard.feedback.limits import Limits

_MOST_PARTS: Final = 20
_MOST_CONTAINERS: Final = 8

_FIELDS: Final = re.compile(rb"(?:[!-9;-~]++:[^\n]*+\n(?:[ \t][^\n]*+\n)*+)*+")
# For lower case, so that it begins with letters that can be searched for; one for any case takes ten times as long.
_FIELD: Final = re.compile(rb"\ncontent-(type|transfer-encoding|disposition):([^\n]*(?:\n[ \t][^\n]*)*)")
_LEAF: Final = re.compile(rb"(?:text|application)/[a-z0-9.+-]+\Z")
_MULTIPART: Final = re.compile(rb"multipart/(?:mixed|report|related|alternative)\Z")
_PARAMETER: Final = re.compile(rb""";[ ]*([a-z-]+)=(?:"([^"\\%]*)"|([^\s()<>@,;:\\"/\[\]?=%']+))[ ]*""")
_BOUNDARY: Final = re.compile(rb"[!-~]{1,70}\Z")
_SEALED: Final = frozenset({b"application/pkcs7-mime", b"application/x-pkcs7-mime"})

Leaf = tuple[str, bytes]
"""Name and decoded content of a part."""


class Part(NamedTuple):
    """A leaf of a mail. ``content`` is decoded, ``body`` is not. ``is_letter``: it is text for people, no file."""

    name: str
    content: bytes
    body: bytes
    line_end: bytes
    is_letter: bool

    @property
    def contents(self) -> Iterator[bytes]:
        """What it may be, likeliest first: some say that they encode and do not, or not all."""
        yield self.content
        as_received = self.body.replace(b"\n", self.line_end)
        if as_received != self.content:
            yield as_received


class _NotPlain(Exception):
    pass


def plain_leaves(mail: bytes, limits: Limits) -> list[Part] | None:
    """Every part, or ``None`` for a mail that is not plain or goes beyond a bound of ``Limits``."""
    if len(mail) > limits.mail_bytes:
        return None
    text = mail.replace(b"\r\n", b"\n")
    lines, crlf = text.count(b"\n"), len(mail) - len(text)
    if lines > limits.lines or b"\r" in text or crlf not in (0, lines):
        return None
    try:
        return list(_Leaves(text, b"\r\n" if crlf else b"\n", limits).inside(0, len(text)))
    except _NotPlain:
        return None


class _Leaves:
    """Goes through the parts as the parser's tree would be gone through, and numbers them alike.

    A part is a range of the mail: only what leaves hold is copied, however deep they lie.
    """

    def __init__(self, mail: bytes, line_end: bytes, limits: Limits) -> None:
        self._mail = mail
        self._line_end = line_end
        self._limits = limits
        self._parts = 0
        self._containers = 0

    def inside(self, begin: int, end: int) -> Iterator[Part]:
        """The leaves of a mail or part. Bounds: 20 parts, and ``containers`` of the limits, but never more than 8."""
        self._parts += 1
        fields, begin = self._fields(begin, end)
        kind, parameters = _content_type(fields)
        if not _MULTIPART.match(kind):
            yield self._leaf(kind, parameters, fields, self._mail[begin:end])
            return
        self._containers += 1
        if self._containers > min(self._limits.containers, _MOST_CONTAINERS):
            raise _NotPlain
        for part in self._cut(begin, end, parameters.get(b"boundary", b"")):
            yield from self.inside(*part)

    def _fields(self, begin: int, end: int) -> tuple[dict[bytes, bytes], int]:
        """The fields that matter, by what follows ``content-`` in their names, and where the body begins."""
        mail, limits = self._mail, self._limits
        if mail.startswith(b"\n", begin, end):  # a part without any field
            return {}, begin + 1
        body = mail.find(b"\n\n", begin, end) + 2
        head = b"\n" + mail[begin : body - 1]
        if body < 2 or len(head) > limits.header_bytes or head.count(b"\n") > limits.headers:
            raise _NotPlain
        if not _FIELDS.fullmatch(head, 1):
            raise _NotPlain
        fields: dict[bytes, bytes] = {}
        for field in _FIELD.finditer(head.lower()):
            value = head[slice(*field.span(2))]
            if field[1] in fields or len(value) > 1_000:
                raise _NotPlain
            fields[field[1]] = b" ".join(value.split())
        return fields, body

    def _cut(self, begin: int, end: int, boundary: bytes) -> list[tuple[int, int]]:
        """Where the parts between the delimiters begin and end.

        The line end before a delimiter belongs to it (RFC 2046 5.1.1); before the first one it is that of the header.
        """
        if not _BOUNDARY.match(boundary):
            raise _NotPlain
        mail, delimiter = self._mail, b"\n--" + boundary
        found: list[tuple[int, int]] = []
        at = mail.find(delimiter, begin - 1, end)
        while at >= 0 and (following := mail.find(delimiter, at + len(delimiter), end)) >= 0:
            # Anything else after the boundary makes it another boundary, or a line with blanks at its end.
            if self._parts + len(found) >= _MOST_PARTS or not mail.startswith(b"\n", at + len(delimiter), following):
                raise _NotPlain
            found.append((at + len(delimiter) + 1, following))
            at = following
        close = delimiter + b"--"
        if not found or not (mail.startswith(close + b"\n", at, end) or mail[at:end] == close):
            raise _NotPlain
        return found

    def _leaf(self, kind: bytes, parameters: dict[bytes, bytes], fields: dict[bytes, bytes], body: bytes) -> Part:
        if not _LEAF.match(kind) or kind in _SEALED:
            raise _NotPlain
        _, gap, rest = fields.get(b"disposition", b"").partition(b";")
        name = _parameters(gap + rest).get(b"filename") or parameters.get(b"name") or b""
        if not name.isascii() or b"=?" in name:
            raise _NotPlain
        place = " ".join(name.decode("ascii").split())[:200] or f"part {self._parts}"
        content = self._decode(body, fields.get(b"transfer-encoding", b"").lower())
        return Part(place, content, body, self._line_end, is_letter(kind.decode("ascii"), place))

    def _decode(self, body: bytes, encoding: bytes) -> bytes:
        if encoding == b"base64":
            try:
                return a2b_base64(body.replace(b"\n", b""), strict_mode=True)
            except Error as error:
                raise _NotPlain from error
        as_received = body.replace(b"\n", self._line_end)
        if encoding == b"quoted-printable" and body.isascii():
            return a2b_qp(as_received)
        if encoding in (b"", b"7bit", b"8bit", b"binary"):
            return as_received
        raise _NotPlain


def _content_type(fields: dict[bytes, bytes]) -> tuple[bytes, dict[bytes, bytes]]:
    kind, gap, rest = fields.get(b"type", b"text/plain").partition(b";")
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
