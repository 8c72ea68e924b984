"""TLS reports and failure reports on their way into the database.

A TLS report is known by its content (``digest``): the same file twice is one row, and that row has the best proof
there is. What is proved is also known by who sent it, its id and its range (``key``): another content under the same
key is a conflict, noted and not stored, as with aggregate reports. Sums are not kept, so a better proved copy has
nothing to take out of any: the row gets its grade and points to its mail.

Failure reports have no name of their own. They are known by their mail.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from hashlib import sha256
from itertools import chain
from typing import Final, TypeVar

from mailguard.feedback.report import FailureReport, TlsFailure, TlsPolicy, TlsReport
from mailguard.store.database import Database
from mailguard.store.encode import Row, clean, compact, day_of, key_text, number
from mailguard.store.statements import (
    COLUMNS,
    LAST,
    NOTE_TLS_CONFLICT,
    REGRADE_TLS,
    TLS_BY_DIGEST,
    TLS_BY_KEY,
    marks,
)
from mailguard.store.values import GRADES, Filed, Outcome
from mailguard.trust.grade import Grade, Trust

T = TypeVar("T")

NOT_CHECKED: Final = Trust(Grade.UNVERIFIED, "", ("not-checked",))
"""Nobody wanted to know who sent the mail."""

TLS_FAILURE: Final = tuple(field.name for field in fields(TlsFailure))
"""What stands where in the JSON of a failure."""

_AT_ONCE: Final = 400


@dataclass(slots=True)
class _Known:
    id: int
    digest: bytes
    rank: int  # of its grade; 0 is the best


class OtherReports:
    """What to write for one batch; used by ``filing`` within its transaction. Costs nothing where there is nothing."""

    def __init__(self, database: Database, batch: Sequence[Filed]) -> None:
        self._database = database
        self._by_digest: dict[bytes, _Known] = {}
        self._by_key: dict[bytes, _Known] = {}
        pairs = [pair for filed in batch for pair in tls_of(filed)]
        if pairs:
            self._load([report.digest for report, _ in pairs], [key for pair in pairs if (key := tls_key(*pair))])
        self._last_tls = _last(database, "tls_report") if pairs else 0
        any_failure = any(filed.contents.failure_reports for filed in batch)
        self._last_failure = _last(database, "failure_report") if any_failure else 0
        self._tls: list[tuple[int, int, TlsReport, Trust]] = []
        self._better: list[Row] = []
        self._conflicts: list[Row] = []
        self._failures: list[Row] = []

    def take_tls(self, mail_id: int, filed: Filed) -> tuple[Outcome, ...]:
        """Decide what becomes of the TLS reports of a mail, also of one that came before: it may be better proved."""
        return tuple(self._take(mail_id, report, trust) for report, trust in tls_of(filed))

    def take_failures(self, mail_id: int, filed: Filed) -> None:
        """Take the failure reports of a mail that is new."""
        reports = filed.contents.failure_reports
        for n, (report, trust) in enumerate(_paired(reports, filed.failure_trusts), start=1):
            self._last_failure += 1
            self._failures.append(failure_row(self._last_failure, mail_id, n, report, trust))

    def carry_out(self) -> None:
        """Write everything. The mails have to be there."""
        database = self._database
        if self._failures:
            database.insert("failure_report", self._failures)
        if self._tls:
            database.insert("tls_report", [tls_report_row(*one) for one in self._tls])
            policies = (tls_policy_rows(number_of, report.policies) for number_of, _, report, _ in self._tls)
            database.insert("tls_policy", chain.from_iterable(policies))
        for better in self._better:
            database.run(REGRADE_TLS, better)
        for conflict in self._conflicts:
            database.run(NOTE_TLS_CONFLICT, conflict)

    def _load(self, digests: Sequence[bytes], keys: Sequence[bytes]) -> None:
        for sql, values in ((TLS_BY_DIGEST, digests), (TLS_BY_KEY, keys)):
            for at in range(0, len(values), _AT_ONCE):
                piece = values[at : at + _AT_ONCE]
                for row in self._database.rows(sql.format(marks=marks(len(piece))), piece):
                    self._remember(*row)

    def _remember(self, number_of: int, digest: bytes, key: bytes | None, grade: str) -> _Known:
        known = self._by_digest.setdefault(digest, _Known(number_of, digest, GRADES.index(Grade(grade))))
        if key:
            self._by_key[key] = known
        return known

    def _take(self, mail_id: int, report: TlsReport, trust: Trust) -> Outcome:
        key = tls_key(report, trust)
        rank = GRADES.index(trust.grade)
        same = self._by_digest.get(report.digest)
        # Before a look at its key, which it has not taken: another report may have come under that key since.
        if same is not None and rank >= same.rank:
            return Outcome.DUPLICATE
        holder = self._by_key.get(key) if key else None
        if holder is not None and holder.digest != report.digest:
            self._conflicts.append((holder.id, report.digest, mail_id))
            return Outcome.CONFLICT
        if same is None:
            self._last_tls += 1
            self._remember(self._last_tls, report.digest, key, trust.grade.value)
            self._tls.append((self._last_tls, mail_id, report, trust))
            return Outcome.STORED
        same.rank = rank
        if key:
            self._by_key[key] = same
        self._better.append((*trust_columns(trust, report.organization), key, mail_id, same.id))
        return Outcome.STORED


def tls_of(filed: Filed) -> Iterable[tuple[TlsReport, Trust]]:
    """The TLS reports of a mail with the trust in each."""
    return _paired(filed.contents.tls_reports, filed.tls_trusts)


def _paired(reports: Sequence[T], trusts: Sequence[Trust]) -> Iterable[tuple[T, Trust]]:
    return zip(reports, trusts or (NOT_CHECKED,) * len(reports), strict=True)


def _last(database: Database, table: str) -> int:
    return int(database.rows(LAST.format(table=table))[0][0])


def tls_key(report: TlsReport, trust: Trust) -> bytes | None:
    """SHA-256 over the proved domain, the id, the domains and the range; None where nothing is proved."""
    if trust.grade is Grade.UNVERIFIED:
        return None
    domains = sorted({policy.domain for policy in report.policies})
    told = (trust.grade.value, trust.domain, report.report_id, domains, report.begin, report.end)
    return sha256(compact(["tls", *told]).encode()).digest()


def trust_columns(trust: Trust, claimed: str) -> tuple[str, str, str]:
    """Grade, reporter (the proved domain, else what it calls itself) and reasons."""
    reporter = claimed if trust.grade is Grade.UNVERIFIED else trust.domain
    return trust.grade.value, key_text(reporter), compact(trust.reasons)


def tls_report_row(number_of: int, mail_id: int, report: TlsReport, trust: Trust) -> Row:
    """For ``tls_report``."""
    return (
        *(number_of, mail_id, report.digest, *map(clean, (report.organization, report.contact, report.report_id))),
        *(number(report.begin), number(report.end), number(day_of(report.begin))),
        *(report.read, len(report.policies), report.repaired, report.dropped, report.defects_omitted),
        compact([[one.kind.value, one.place, one.detail] for one in report.defects]),
        *trust_columns(trust, report.organization),
        tls_key(report, trust),
    )


def tls_policy_rows(report_id: int, policies: Iterable[TlsPolicy]) -> Iterator[Row]:
    """For ``tls_policy``."""
    for n, one in enumerate(policies, start=1):
        failures = [[getattr(failure, name) for name in TLS_FAILURE] for failure in one.failures]
        yield (
            *(report_id, n, clean(one.type), key_text(one.domain), compact(one.strings), compact(one.mx)),
            *(_counted(one.successful), _counted(one.failed), compact(failures)),
        )


_FAILURE_TEXTS: Final = COLUMNS["failure_report"][3:-5]


def failure_row(number_of: int, mail_id: int, n: int, report: FailureReport, trust: Trust) -> Row:
    """For ``failure_report``. Texts are cut: the longest that any of them has to hold is a domain name."""
    texts = (key_text(getattr(report, name)) for name in _FAILURE_TEXTS)
    return (
        *(number_of, mail_id, n, *texts, _counted(report.arrival), number(report.incidents)),
        *trust_columns(trust, report.reporting_mta),
    )


def _counted(value: int | None) -> int | None:
    return None if value is None else number(value)
