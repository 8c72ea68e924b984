"""The SQL of the hot path and of the roll-ups, once for both databases.

Parameters are written ``?``; PostgreSQL's side turns them into its own. Everything here is text that we wrote: names of
tables and columns are never made from data.
"""

# ruff: noqa: S608 - see above

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    table: tuple(columns.split())
    for table, columns in {
        "mail": "id sha256 received_at way origin peer helo tls mail_from rcpt_to size authentication raw",
        "unreadable": "mail_id n place reason",
        "report": "id mail_id key digest grade reporter trust_reasons org_name email extra_contact_info report_id "
        "policy_domain begin_s end_s day p sp np adkim aspf pct fo testing discovery_method version generator errors "
        "records_read records_kept records_repaired records_dropped defects_omitted messages",
        "record": "report_id n source_ip messages disposition dkim_aligned spf_aligned header_from envelope_from "
        "envelope_to reasons auth_results",
        "report_selector": "report_id domain selector passed failed",
        "defect": "report_id n kind place detail",
        "report_conflict": "report_id digest mail_id records_kept messages",
        "tls_report": "id mail_id digest organization contact report_id begin_s end_s day policies_read policies_kept "
        "policies_repaired policies_dropped defects_omitted defects grade reporter trust_reasons key",
        "tls_policy": "report_id n type domain strings mx successful failed failures",
        "tls_conflict": "report_id digest mail_id",
        "failure_report": "id mail_id n feedback_type auth_failure reported_domain mail_from_domain dkim_domain "
        "dkim_selector source_ip delivery_result identity_alignment reporting_mta arrival incidents grade reporter "
        "trust_reasons",
        "mailbox_mail": "folder validity uid outcome reader remembered_at",
    }.items()
}
"""What is inserted into each table, in the order of the rows that ``encode.py`` makes."""


def insert(table: str) -> str:
    """Insert one row."""
    columns = COLUMNS[table]
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks(len(columns))})"


def marks(count: int) -> str:
    """So many parameters."""
    return ", ".join("?" * count)


MAILS: Final = "SELECT sha256, id FROM mail WHERE sha256 IN ({marks})"
REPORTS: Final = (
    "SELECT id, key, digest, grade, superseded_by IS NOT NULL, "
    "records_kept > 0 AND NOT EXISTS (SELECT 1 FROM record WHERE record.report_id = report.id) "
    "FROM report WHERE key IN ({marks}) OR digest IN ({marks})"
)
TLS_BY_DIGEST: Final = "SELECT id, digest, key, grade FROM tls_report WHERE digest IN ({marks})"
TLS_BY_KEY: Final = "SELECT id, digest, key, grade FROM tls_report WHERE key IN ({marks})"
REGRADE_TLS: Final = (
    "UPDATE tls_report SET grade = ?, reporter = ?, trust_reasons = ?, key = ?, mail_id = ? WHERE id = ?"
)
LAST: Final = "SELECT COALESCE(MAX(id), 0) FROM {table}"
SUPERSEDE: Final = "UPDATE report SET superseded_by = ? WHERE id = ?"
NOTE_CONFLICT: Final = insert("report_conflict") + " ON CONFLICT DO NOTHING"
NOTE_TLS_CONFLICT: Final = insert("tls_conflict") + " ON CONFLICT DO NOTHING"


@dataclass(frozen=True, slots=True)
class Rollup:
    """Daily sums over the records of all reports that count. ``sums`` maps a column to what it adds up."""

    table: str
    keys: tuple[str, ...]
    sums: Mapping[str, str]

    def recomputed(self, where: str, *, sign: str = "") -> str:
        """The sums over the records of the reports that ``where`` names. Nothing is kept of sources without mail."""
        sums = ", ".join(f"{sign}CAST(SUM({amount}) AS BIGINT)" for amount in self.sums.values())
        keys = ", ".join(self.keys)
        return (
            f"SELECT {keys}, {sums} FROM report JOIN record ON record.report_id = report.id "
            f"WHERE {where} GROUP BY {keys} HAVING SUM(record.messages) > 0"
        )

    def add(self, where: str, *, sign: str = "") -> str:
        """Add those sums to what is there."""
        names = self.names
        grown = ", ".join(f"{name} = {self.table}.{name} + excluded.{name}" for name in self.sums)
        return (
            f"INSERT INTO {self.table} ({', '.join((*names, *self.sums))}) {self.recomputed(where, sign=sign)} "
            f"ON CONFLICT ({', '.join(names)}) DO UPDATE SET {grown}"
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that the sums are by."""
        return tuple(key.rpartition(".")[2] for key in self.keys)

    @property
    def stored(self) -> str:
        """Everything in the table, as ``recomputed`` would give it."""
        return f"SELECT {', '.join((*self.names, *self.sums))} FROM {self.table}"

    @property
    def drop_empty(self) -> str:
        """Forget rows of one report's domain, day, grade and reporter that have come down to nothing."""
        return (
            f"DELETE FROM {self.table} WHERE (policy_domain, day, grade, reporter) = "
            "(SELECT policy_domain, day, grade, reporter FROM report WHERE id = ?) AND messages = 0"
        )


_OF_REPORT: Final = ("report.policy_domain", "report.day", "report.grade", "report.reporter")
_PASSED: Final = "CASE WHEN dkim_aligned = 'pass' OR spf_aligned = 'pass' THEN record.messages ELSE 0 END"
_STOPPED: Final = "CASE WHEN disposition IN ('quarantine', 'reject') THEN record.messages ELSE 0 END"

ROLLUPS: Final = (
    Rollup(
        "rollup_day",
        (*_OF_REPORT, "record.disposition", "record.dkim_aligned", "record.spf_aligned"),
        {"messages": "record.messages"},
    ),
    Rollup(
        "rollup_source",
        (*_OF_REPORT, "record.source_ip"),
        {
            "messages": "record.messages",
            "passed": _PASSED,
            "dkim_passed": "CASE WHEN dkim_aligned = 'pass' THEN record.messages ELSE 0 END",
            "spf_passed": "CASE WHEN spf_aligned = 'pass' THEN record.messages ELSE 0 END",
            "stopped": _STOPPED,
        },
    ),
)

_NEW: Final = "report.id BETWEEN ? AND ?"
_ONE: Final = "report.id = ?"
COUNT_IN: Final = tuple(rollup.add(_NEW) for rollup in ROLLUPS)
COUNT_OUT: Final = tuple((rollup.add(_ONE, sign="-"), rollup.drop_empty) for rollup in ROLLUPS)
