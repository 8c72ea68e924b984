"""From values to rows: plain tuples in the order of the columns in ``statements.py``.

Texts come from strangers. What a database would refuse (NUL, halves of surrogate pairs) becomes U+FFFD, and what stands
in an index is cut to a bound (``key_text``), so that no report can make a whole batch fail.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from hashlib import sha256
from json.encoder import encode_basestring_ascii
from typing import Final

from mailguard.feedback.mail import MailKind
from mailguard.feedback.report import (
    AggregateReport,
    DkimResult,
    Record,
    Said,
    SpfResult,
)
from mailguard.feedback.values import AuthResult
from mailguard.store.values import Filed
from mailguard.trust.grade import Grade, Trust

Row = tuple[object, ...]

_DAY_S: Final = 86_400
_KEY_CHARS: Final = 253
"""Characters of a text in an index: the longest domain name. Two such, of four bytes each, fit into an index row."""

_SELECTORS: Final = 100
"""DKIM selectors remembered of one report. Real ones have a handful."""

_REMEMBERED: Final = 1_000
"""Different results of one report whose JSON is remembered."""

_LARGEST: Final = 2**63 - 1

compact = json.JSONEncoder(ensure_ascii=True, check_circular=False, separators=(",", ":")).encode
"""JSON in as few characters as it takes, all of them ASCII."""


@lru_cache(maxsize=4096)
def clean(text: str) -> str:
    """A text that every database takes."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def key_text(text: str) -> str:
    """A text for an index."""
    return clean(text)[:_KEY_CHARS]


def number(value: int) -> int:
    """A number of messages or seconds within 64 bits."""
    return max(-_LARGEST, min(value, _LARGEST))


def pack(raw: bytes) -> bytes:
    """A mail for keeping. Reports come compressed and in base64, where only the code can be made shorter."""
    if b"base64" in raw[:16_384].lower():
        # Nothing is looked for in the window, but a small one is moved along all the time.
        packer = zlib.compressobj(1, zlib.DEFLATED, 13, 7, zlib.Z_HUFFMAN_ONLY)
        return packer.compress(raw) + packer.flush()
    return zlib.compress(raw, 1)


def unpack(packed: bytes) -> bytes:
    """The mail again."""
    return zlib.decompress(packed)


def mail_row(mail_id: int, filed: Filed, digest: bytes) -> Row:
    """For ``mail``. A mail with a failure report is not kept itself: it can hold somebody's letter.

    Of such a mail no local part is kept either: what the reporter put into its envelope may come from that letter.
    """
    mail, contents = filed.mail, filed.contents
    private = contents.failure_reports or any(file.kind is MailKind.FAILURE for file in contents.ignored)
    mail_from = mail.mail_from.rpartition("@")[2] if private else mail.mail_from
    told = (mail.way.value, mail.origin, mail.peer, mail.helo, mail.tls, mail_from, " ".join(mail.rcpt_to))
    return (
        *(mail_id, digest, number(mail.received_at), *map(clean, told), len(mail.raw)),
        *(clean(filed.authentication), None if private else pack(mail.raw)),
    )


def report_key(report: AggregateReport, trust: Trust) -> bytes:
    """What a report is known by: SHA-256 over the reporter, the id, the policy domain and the range.

    Only a proved domain can stand for the reporter. Where nothing is proved, the content does: a stranger who claims
    to be somebody else then takes nobody's place. The grade belongs to the key for the same reason: a domain that is
    proved, but not to be the reporter's, must not get in the way of the reporter.
    """
    if trust.grade is Grade.UNVERIFIED:
        told: tuple[object, ...] = (report.digest.hex(),)
    else:
        told = (trust.domain, report.report_id, report.policy.domain, report.begin, report.end)
    return sha256(compact([trust.grade.value, *told]).encode()).digest()


def day_of(moment: int) -> int:
    """Whole UTC days since 1970-01-01."""
    return moment // _DAY_S


def report_row(report_id: int, mail_id: int, key: bytes, report: AggregateReport, trust: Trust) -> Row:
    """For ``report``."""
    policy = report.policy
    reporter = report.org_name if trust.grade is Grade.UNVERIFIED else trust.domain
    tags = (policy.p, policy.sp, policy.np, policy.adkim, policy.aspf, policy.pct, policy.fo, policy.testing)
    return (
        *(report_id, mail_id, key, report.digest, trust.grade.value, key_text(reporter), compact(trust.reasons)),
        *map(clean, (report.org_name, report.email, report.extra_contact_info, report.report_id)),
        *(key_text(policy.domain), number(report.begin), number(report.end), number(day_of(report.begin))),
        *(tag and clean(tag) for tag in (*tags, policy.discovery_method)),
        *(clean(report.version), clean(report.generator), compact(report.errors)),
        *(report.read, len(report.records), report.repaired, report.dropped, report.defects_omitted),
        messages_of(report),
    )


def messages_of(report: AggregateReport) -> int:
    """All messages that a report tells of."""
    return sum(record.count for record in report.records)


def record_rows(report_id: int, records: Sequence[Record]) -> Iterator[Row]:
    """For ``record``, one by one: a report may have a hundred thousand."""
    columns: dict[int, Row] = {}
    for n, (source_ip, count, said) in enumerate(records, start=1):
        told = columns.get(id(said))  # most records share it with others, and their report keeps it for as long as this
        if told is None:
            told = _said_columns(said)
            if len(columns) < _REMEMBERED:
                columns[id(said)] = told
        yield report_id, n, source_ip, count, *told


def _said_columns(said: Said) -> Row:
    disposition, dkim, spf, reasons, header_from, envelope_from, envelope_to, dkim_results, spf_results = said
    return (
        disposition._value_,  # ``value`` is a function call
        dkim._value_,
        spf._value_,
        clean(header_from),
        envelope_from and clean(envelope_from),
        envelope_to and clean(envelope_to),
        compact([[one.type, one.comment] for one in reasons]) if reasons else "[]",
        f"[[{','.join(map(_result, dkim_results))}],[{','.join(map(_result, spf_results))}]]",
    )


def _result(one: DkimResult | SpfResult) -> str:
    """What ``compact`` would make of it, in a tenth of the time."""
    return f"[{','.join(map(encode_basestring_ascii, one))}]"


def selector_rows(report_id: int, records: Sequence[Record]) -> Iterator[Row]:
    """For ``report_selector``: how many messages passed and failed under each selector; the first hundred of them."""
    messages = _messages_by_result(records)
    sums: dict[tuple[str, str], list[int]] = {}
    for (domain, selector, result), count in messages.items():
        key = domain, selector
        if key in sums or len(sums) < _SELECTORS:
            sums.setdefault(key, [0, 0])[result is not AuthResult.PASS] += count
    # A selector and its domain are names in DNS; what cannot be one is not worth looking for there.
    for (domain, selector), (passed, failed) in sums.items():
        if domain.isascii() and selector.isascii() and len(domain) + len(selector) <= _KEY_CHARS:
            yield report_id, clean(domain), clean(selector), passed, failed


def _messages_by_result(records: Sequence[Record]) -> dict[DkimResult, int]:
    """Messages for each DKIM result with a domain and a selector."""
    said_by: dict[int, Said] = {}
    counts: dict[int, int] = {}
    for _, count, said in records:
        key = id(said)
        said_by[key] = said
        counts[key] = counts.get(key, 0) + count
    found: dict[DkimResult, int] = {}
    for key, said in said_by.items():
        for one in said.dkim_results:
            if one.selector and one.domain:
                found[one] = found.get(one, 0) + counts[key]
    return found


def defect_rows(report_id: int, report: AggregateReport) -> Iterator[Row]:
    """For ``defect``."""
    for n, one in enumerate(report.defects, start=1):
        yield report_id, n, one.kind.value, clean(one.place), clean(one.detail)
