"""Measuring a mail on its bytes, before the e-mail parser sees it.

The parser recurses on nested parts, keeps every line as an object and takes the square of the time on long parameter
lists. What would make it do so is refused first.
"""

from __future__ import annotations

import re
from typing import Final

from mailguard.feedback.limits import Limits, OverLimit

# The parser ends a line at CR, LF or CRLF. A folded header goes on in lines that begin with a blank.
_LINE_START: Final = rb"(?:\A|(?<=[\r\n]))"
_HEADER: Final = re.compile(_LINE_START + rb"[!-9;-~]+:")
_CONTENT_TYPE: Final = re.compile(
    _LINE_START + rb"content-type:[^\r\n]*(?:(?:\r\n|\r|\n)[ \t][^\r\n]*)*", re.IGNORECASE
)
_CONTAINER: Final = re.compile(rb"content-type:\s*(?:multipart|message)/", re.IGNORECASE)
_DELIMITER: Final = re.compile(_LINE_START + rb"--[^\r\n]")
_HEADER_END: Final = re.compile(rb"\r\n\r\n|\n\n|\r\r")


def measure(mail: bytes, limits: Limits) -> None:
    """Raise OverLimit unless the mail may be given to the parser: ``mail_bytes`` to ``lines`` of ``Limits``."""
    if len(mail) > limits.mail_bytes:
        raise OverLimit("mail_bytes")
    end = _HEADER_END.search(mail)
    header_end = end.start() if end else len(mail)
    if header_end > limits.header_bytes:
        raise OverLimit("header_bytes")
    _count(_HEADER, mail[:header_end], limits.headers, "headers")
    if mail.count(b"\n") + mail.count(b"\r") - mail.count(b"\r\n") > limits.lines:
        raise OverLimit("lines")
    _count(_DELIMITER, mail, limits.delimiters, "delimiters")
    containers = 0
    for header in _CONTENT_TYPE.finditer(mail):
        if len(header[0]) > limits.content_type_bytes:
            raise OverLimit("content_type_bytes")
        containers += _CONTAINER.match(header[0]) is not None
    if containers > limits.containers:
        raise OverLimit("containers")


def _count(pattern: re.Pattern[bytes], data: bytes, limit: int, bound: str) -> None:
    for found, _ in enumerate(pattern.finditer(data), start=1):
        if found > limit:
            raise OverLimit(bound)
