"""How ``mailguard reports`` shows lists, single reports and rows: text, CSV and JSON.

Only what is proved is counted, and every list says so: what is not proved stands apart, in words and with sums of its
own. Names in CSV and JSON stay as they are in every language.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from mailguard.cli.speaking import say
from mailguard.errors import Sentence
from mailguard.render.moments import moment
from mailguard.render.safe import cell, visible

if TYPE_CHECKING:
    from mailguard.store.other_questions import FailureRow, TlsRow
    from mailguard.store.reports import ReportRow

Item = dict[str, Any]

COLUMNS: Final = {
    "aggregate": (
        *("kind", "id", "counted", "grade", "reporter", "org_name", "report_id", "policy_domain", "begin", "end"),
        *("records", "messages", "repaired", "dropped", "superseded", "conflicts"),
    ),
    "tls": (
        *("kind", "id", "counted", "grade", "reporter", "org_name", "report_id", "policy_domain", "begin", "end"),
        *("policies", "successful", "failed", "repaired", "dropped", "conflicts"),
    ),
    "failure": (
        *("kind", "id", "counted", "grade", "reporter", "policy_domain", "received_at", "arrival", "auth_failure"),
        *("source_ip", "incidents"),
    ),
}
"""What a list says of each kind of report."""

ALL_COLUMNS: Final = tuple(dict.fromkeys(name for columns in COLUMNS.values() for name in columns))

GRADES: Final = {
    "verified": Sentence("sender verified"),
    "authenticated": Sentence("sender known, not proved to be the reporter"),
    "unverified": Sentence("sender not proved"),
}
_TITLES: Final = {
    "aggregate": Sentence("DMARC aggregate reports"),
    "tls": Sentence("TLS reports"),
    "failure": Sentence("Failure reports (nothing is ever counted from these)"),
}
_COUNTED: Final = Sentence("Counted - the sender is verified:")
_APART: Final = Sentence("Kept apart, and counted nowhere - the sender is not verified:")


def aggregate_items(rows: Iterable[ReportRow]) -> list[Item]:
    """Lines of a list, as documents."""
    return [
        {
            **_common("aggregate", row.id, row.grade, row.reporter, not row.superseded),
            "org_name": row.org_name,
            "report_id": row.report_id,
            "policy_domain": row.policy_domain,
            "begin": moment(row.begin),
            "end": moment(row.end),
            "records": row.records,
            "messages": row.messages,
            "repaired": row.repaired,
            "dropped": row.dropped,
            "superseded": row.superseded,
            "conflicts": row.conflicts,
        }
        for row in rows
    ]


def tls_items(rows: Iterable[TlsRow]) -> list[Item]:
    """The same for TLS reports; ``successful`` and ``failed`` are sessions."""
    return [
        {
            **_common("tls", row.id, row.grade, row.reporter, True),
            "org_name": row.organization,
            "report_id": row.report_id,
            "policy_domain": ", ".join(row.domains),
            "begin": moment(row.begin),
            "end": moment(row.end),
            "policies": row.policies,
            "successful": row.successful,
            "failed": row.failed,
            "repaired": row.repaired,
            "dropped": row.dropped,
            "conflicts": row.conflicts,
        }
        for row in rows
    ]


def failure_items(rows: Iterable[FailureRow]) -> list[Item]:
    """The same for failure reports."""
    return [
        {
            **_common("failure", row.id, row.grade, row.reporter, False),
            "policy_domain": row.reported_domain,
            "received_at": moment(row.received_at),
            "arrival": None if row.arrival is None else moment(row.arrival),
            "auth_failure": row.auth_failure,
            "source_ip": row.source_ip,
            "incidents": row.incidents,
        }
        for row in rows
    ]


def _common(kind: str, number: int, grade: str, reporter: str, may_count: bool) -> Item:
    counted = may_count and grade == "verified"
    return {"kind": kind, "id": number, "counted": counted, "grade": str(grade), "reporter": reporter}


def in_words(kind: str, items: Sequence[Item]) -> Iterator[str]:
    """A list for people: what counts, and apart from it what does not, each with its sum."""
    yield _TITLES[kind].told(say)
    counted = [item for item in items if item["counted"]]
    apart = [item for item in items if not item["counted"]]
    for title, part in ((_COUNTED, counted), (_APART, apart)):
        if not part:
            continue
        if kind != "failure":
            yield "  " + title.told(say)
        yield from (_line(item) for item in part)
        if kind != "failure":
            yield "    " + _sum(kind, part)


def _sum(kind: str, items: Sequence[Item]) -> str:
    reports = [item for item in items if not item.get("superseded")]
    if kind == "tls":
        told = say("Sum (reports: {reports}): {successful} sessions succeeded, {failed} failed")
    else:
        told = say("Sum (reports: {reports}): {messages} messages")
    names = ("messages", "successful", "failed")
    sums = {name: f"{sum(item.get(name) or 0 for item in reports):,}" for name in names}
    return told.format(reports=f"{len(reports):,}", **sums)


def _line(item: Item) -> str:
    day = str(item["received_at"] if item["kind"] == "failure" else item["begin"])[:10]
    words = [f"{item['id']:>8}", day, visible(item["policy_domain"])]
    if item["kind"] == "failure":
        words += [visible(item["auth_failure"]) or "-", visible(item["source_ip"]) or "-", visible(item["reporter"])]
    else:
        words += [_sender(item), _amount(item)]
    if item["grade"] != "verified":
        words.append(f"({GRADES[item['grade']].told(say)})")
    if item.get("superseded"):
        words.append(say("(replaced by a better proved copy)"))
    if item.get("conflicts"):
        words.append(say("(contradicted {count} times)").format(count=item["conflicts"]))
    return "  ".join(words)


def _sender(item: Item) -> str:
    """The proved domain, with the name that it gives itself in quotation marks: anybody can call himself Google."""
    named, proved = visible(item["org_name"]), visible(item["reporter"])
    if item["grade"] == "unverified" or named.lower() == proved:
        return named
    return f'{proved} "{named}"' if named else proved


def _amount(item: Item) -> str:
    if item["kind"] == "tls":
        told = say("{successful} sessions succeeded, {failed} failed")
        return told.format(successful=f"{item['successful']:,}", failed=f"{item['failed']:,}")
    return say("{messages} messages").format(messages=f"{item['messages']:,}")


def lines(found: Item, indent: str = "") -> Iterator[str]:
    """Everything about one report for people; what is empty is left out."""
    for name, value in found.items():
        if isinstance(value, dict):
            yield f"{indent}{name}:"
            yield from lines(value, indent + "  ")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            yield f"{indent}{name}:"
            for one in value:
                yield indent + "  " + visible(", ".join(f"{key} {inner}" for key, inner in one.items()))
        elif value not in (None, "", []):
            shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            grade = f" ({GRADES[value].told(say)})" if name == "grade" and value in GRADES else ""
            yield f"{indent}{name}: {visible(shown)}{grade}"


def write(form: str, rows: Iterable[Item], columns: Iterable[str]) -> None:
    """Rows as they come, however many: CSV for spreadsheets (with a byte order mark), or a JSON array."""
    out = sys.stdout.buffer
    pieces = csv_pieces(rows, list(columns)) if form == "csv" else json_pieces(rows)
    for piece in pieces:
        out.write(piece.encode("utf-8", "replace"))
    out.flush()


def json_pieces(rows: Iterable[Item]) -> Iterator[str]:
    """Rows as a JSON array, a line each."""
    before = "[\n"
    for row in rows:
        yield before + json.dumps(row, ensure_ascii=False)
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def csv_pieces(rows: Iterable[Item], columns: list[str]) -> Iterator[str]:
    """Rows as CSV; no text in it is ever taken for a formula."""
    yield "\ufeff" + _csv_line(columns)
    for row in rows:
        yield _csv_line([_value(row.get(column)) for column in columns])


def _csv_line(values: list[Any]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(values)
    return out.getvalue()


def _value(value: Any) -> Any:
    """Numbers stay numbers; texts from strangers never become formulas."""
    if value is None or isinstance(value, int):
        return value
    return cell(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
