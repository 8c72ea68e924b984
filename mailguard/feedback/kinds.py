"""What a file is, told by its first bytes and never by its name or type."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from mailguard.feedback.archive import foreign_kind, is_archive, is_zip_behind_junk

_SNIFF_BYTES: Final = 4096
_BLANKS: Final = b"\xef\xbb\xbf\xff\xfe \t\r\n"
_MARKUP: Final = re.compile(rb"<(?:[\w.-]{1,64}:)?(?:feedback|report_metadata|record)[\s>]", re.IGNORECASE)
_TLS_MEMBER: Final = re.compile(rb"""["'](?:organization|date|contact|report|policies)[-_"']""", re.IGNORECASE)
_MAIL: Final = re.compile(
    rb"(?:From [^\n]*\n)?(?:Received|Return-Path|Delivered-To|From|To|Date|Subject|Message-ID|MIME-Version|"
    rb"DKIM-Signature|Authentication-Results|ARC-[A-Za-z-]+|X-[!-9;-~]+|Content-Type):[ \t]",
    re.IGNORECASE,
)
_MIME: Final = re.compile(rb"^(?:mime-version|content-type):", re.IGNORECASE | re.MULTILINE)
_PLAIN_FAILURE: Final = re.compile(rb"^\s*Sender Domain: .*?^\s*Sender IP Address: ", re.DOTALL | re.MULTILINE)
_REPORT_NAME: Final = re.compile(r"\.(?:xml|gz|gzip|zip|json)\Z", re.IGNORECASE)


class Kind(StrEnum):
    """What a file may be."""

    ARCHIVE = "archive"  # gzip or zip
    FOREIGN = "foreign"  # a container that is not opened
    MARKUP = "markup"  # an aggregate report, or a piece of one
    JSON = "json"  # a TLS report
    MAIL = "mail"  # a whole mail
    PLAIN_FAILURE = "plain-failure"  # a failure report in plain text, as Exim sends it
    OTHER = "other"


def kind_of(data: bytes) -> Kind:
    """What this may be; looks at the first 4 KiB, and at the last 64 KiB for the end of a zip."""
    if is_archive(data):
        return Kind.ARCHIVE
    head = data[:_SNIFF_BYTES].replace(b"\0", b"").lstrip(_BLANKS)
    if head.startswith(b"<?xml") or _MARKUP.search(head):
        return Kind.MARKUP
    if head.startswith((b"{", b"[")) and _TLS_MEMBER.search(head):
        return Kind.JSON
    if _MAIL.match(head) and _MIME.search(head):
        return Kind.MAIL
    # A search for a word costs a tenth of one for a line.
    if b"Sender Domain: " in head and _PLAIN_FAILURE.search(head):
        return Kind.PLAIN_FAILURE
    if foreign_kind(data):
        return Kind.FOREIGN
    return Kind.ARCHIVE if is_zip_behind_junk(data) else Kind.OTHER


def is_letter(content_type: str, place: str) -> bool:
    """Whether a part of this (lower-case) type is the text of a letter, and no file: it may hold what others wrote."""
    is_text = content_type.startswith("text/") and content_type not in ("text/xml", "text/json")
    return is_text and not claims_to_be_report(place)


def claims_to_be_report(place: str) -> bool:
    """Whether a file is called like a report."""
    return _REPORT_NAME.search(place) is not None
