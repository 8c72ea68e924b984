"""The schema as it is today, as SQLAlchemy tables.

The migrations make exactly this (a test compares them); the hot path speaks to the driver with statements written out
and does not import this module. All times are POSIX seconds, all numbers 64 bits wide, a ``day`` is the number of
whole UTC days since 1970-01-01.

Texts from strangers in an index are cut (``encode.py``): PostgreSQL refuses index rows beyond 2,704 bytes.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.types import TypeEngine

# In SQLite only INTEGER makes a primary key the row's own number; it is 64 bits wide all the same.
Id: TypeEngine[int] = BigInteger().with_variant(Integer(), "sqlite")

metadata = MetaData()

_SUPERSEDED = text("superseded_by IS NOT NULL")


def _number(name: str, *constraints: object, null: bool = False) -> Column[int]:
    return Column(name, BigInteger, *constraints, nullable=null)  # type: ignore[arg-type]


def _text(name: str, *, null: bool = False) -> Column[str]:
    return Column(name, Text, nullable=null)


def _of(table: str, column: str, *, null: bool = False) -> Column[int]:
    """A reference; the rows go when what they belong to goes."""
    return Column(column, Id, ForeignKey(f"{table}.id", ondelete="SET NULL" if null else "CASCADE"), nullable=null)


mail = Table(
    "mail",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("sha256", LargeBinary, nullable=False, unique=True),
    _number("received_at"),
    _text("way"),
    _text("origin"),
    _text("peer"),
    _text("helo"),
    _text("tls"),
    _text("mail_from"),
    _text("rcpt_to"),  # separated by blanks
    _number("size"),  # bytes of the mail
    _text("authentication"),  # JSON, or empty
    Column("raw", LargeBinary, nullable=True),  # zlib; NULL once its time is over
)

unreadable = Table(
    "unreadable",
    metadata,
    _of("mail", "mail_id"),
    _number("n"),
    _text("place"),
    _text("reason"),
    PrimaryKeyConstraint("mail_id", "n"),
    sqlite_with_rowid=False,
)

report = Table(
    "report",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    _of("mail", "mail_id"),
    Column("key", LargeBinary, nullable=False, unique=True),
    Column("digest", LargeBinary, nullable=False),  # SHA-256 of the file
    _of("report", "superseded_by", null=True),  # a better proved copy; then this one counts nowhere
    _text("grade"),
    _text("reporter"),  # the proved domain; of an unverified report, what it calls itself
    _text("trust_reasons"),  # JSON
    _text("org_name"),
    _text("email"),
    _text("extra_contact_info"),
    _text("report_id"),
    _text("policy_domain"),
    _number("begin_s"),
    _number("end_s"),
    _number("day"),  # of begin_s
    *(_text(tag, null=True) for tag in ("p", "sp", "np", "adkim", "aspf", "pct", "fo", "testing", "discovery_method")),
    _text("version"),
    _text("generator"),
    _text("errors"),  # JSON
    _number("records_read"),
    _number("records_kept"),
    _number("records_repaired"),
    _number("records_dropped"),
    _number("defects_omitted"),
    _number("messages"),
    Index("report_window", "policy_domain", "day"),
    Index("report_mail", "mail_id"),
    Index("report_digest", "digest"),
    # Few have been superseded; the others cost nothing here.
    Index("report_superseded", "superseded_by", sqlite_where=_SUPERSEDED, postgresql_where=_SUPERSEDED),
)

report_conflict = Table(
    "report_conflict",
    metadata,
    _of("report", "report_id"),
    Column("digest", LargeBinary, nullable=False),
    _of("mail", "mail_id"),
    _number("records_kept"),
    _number("messages"),
    PrimaryKeyConstraint("report_id", "digest"),
    Index("report_conflict_mail", "mail_id"),
    sqlite_with_rowid=False,
)

defect = Table(
    "defect",
    metadata,
    _of("report", "report_id"),
    _number("n"),
    _text("kind"),
    _text("place"),
    _text("detail"),
    PrimaryKeyConstraint("report_id", "n"),
    sqlite_with_rowid=False,
)

record = Table(
    "record",
    metadata,
    _of("report", "report_id"),
    _number("n"),
    _text("source_ip"),
    _number("messages", CheckConstraint("messages >= 0", name="messages_not_negative")),
    _text("disposition"),
    _text("dkim_aligned"),  # pass, fail or unknown, as the reporter evaluated it
    _text("spf_aligned"),
    _text("header_from"),
    _text("envelope_from", null=True),  # NULL: not told; empty: the null path
    _text("envelope_to", null=True),
    _text("reasons"),  # JSON: [[type, comment], ...]
    _text("auth_results"),  # JSON: [[[domain, selector, result], ...], [[domain, scope, result], ...]], DKIM and SPF
    PrimaryKeyConstraint("report_id", "n"),
    sqlite_with_rowid=False,
)

report_selector = Table(
    "report_selector",
    metadata,
    _of("report", "report_id"),
    _text("domain"),
    _text("selector"),
    _number("passed"),  # messages
    _number("failed"),
    PrimaryKeyConstraint("report_id", "domain", "selector"),
    sqlite_with_rowid=False,
)

rollup_day = Table(
    "rollup_day",
    metadata,
    _text("policy_domain"),
    _number("day"),
    _text("grade"),
    _text("reporter"),
    _text("disposition"),
    _text("dkim_aligned"),
    _text("spf_aligned"),
    _number("messages"),
    PrimaryKeyConstraint("policy_domain", "day", "grade", "reporter", "disposition", "dkim_aligned", "spf_aligned"),
    sqlite_with_rowid=False,
)

rollup_source = Table(
    "rollup_source",
    metadata,
    _text("policy_domain"),
    _number("day"),
    _text("grade"),
    _text("reporter"),
    _text("source_ip"),
    _number("messages"),
    _number("passed"),
    _number("dkim_passed"),
    _number("spf_passed"),
    _number("stopped"),
    PrimaryKeyConstraint("policy_domain", "day", "grade", "reporter", "source_ip"),
    sqlite_with_rowid=False,
)

tls_report = Table(
    "tls_report",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    _of("mail", "mail_id"),
    Column("digest", LargeBinary, nullable=False, unique=True),  # SHA-256 of the file
    _text("organization"),
    _text("contact"),
    _text("report_id"),
    _number("begin_s"),
    _number("end_s"),
    _number("day"),
    _number("policies_read"),
    _number("policies_kept"),
    _number("policies_repaired"),
    _number("policies_dropped"),
    _number("defects_omitted"),
    _text("defects"),  # JSON: [[kind, place, detail], ...]
    # Reports from before there were grades: nobody looked.
    Column("grade", Text, nullable=False, server_default="unverified"),
    Column("reporter", Text, nullable=False, server_default=""),  # as of ``report``
    Column("trust_reasons", Text, nullable=False, server_default='["not-checked"]'),  # JSON
    Column("key", LargeBinary, nullable=True),  # of a report whose sender is proved
    Index("tls_report_key", "key", unique=True),
    Index("tls_report_mail", "mail_id"),
    Index("tls_report_day", "day"),
)

tls_conflict = Table(
    "tls_conflict",
    metadata,
    _of("tls_report", "report_id"),
    Column("digest", LargeBinary, nullable=False),
    _of("mail", "mail_id"),
    PrimaryKeyConstraint("report_id", "digest"),
    Index("tls_conflict_mail", "mail_id"),
    sqlite_with_rowid=False,
)

tls_policy = Table(
    "tls_policy",
    metadata,
    _of("tls_report", "report_id"),
    _number("n"),
    _text("type"),
    _text("domain"),
    _text("strings"),  # JSON
    _text("mx"),  # JSON
    _number("successful", null=True),  # sessions; NULL: not told
    _number("failed", null=True),
    _text("failures"),  # JSON: one list a failure, in the order of the fields of TlsFailure
    PrimaryKeyConstraint("report_id", "n"),
    Index("tls_policy_domain", "domain"),
    sqlite_with_rowid=False,
)

failure_report = Table(
    "failure_report",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    _of("mail", "mail_id"),
    _number("n"),
    *(_text(name) for name in ("feedback_type", "auth_failure", "reported_domain", "mail_from_domain", "dkim_domain")),
    *(_text(name) for name in ("dkim_selector", "source_ip", "delivery_result", "identity_alignment", "reporting_mta")),
    _number("arrival", null=True),
    _number("incidents"),
    *(_text(name) for name in ("grade", "reporter", "trust_reasons")),
    Index("failure_report_mail", "mail_id", "n", unique=True),
)

mailbox_mail = Table(
    "mailbox_mail",
    metadata,
    Column("folder", LargeBinary, nullable=False),  # SHA-256 of user, host and folder, which may be long
    _number("validity"),  # UIDVALIDITY
    _number("uid"),
    _text("outcome"),
    _text("reader"),  # who looked: a later version may see a report where this one saw none
    _number("remembered_at"),
    PrimaryKeyConstraint("folder", "validity", "uid"),
    Index("mailbox_mail_age", "remembered_at"),
    sqlite_with_rowid=False,
)

audit = Table(
    "audit",
    metadata,
    _text("domain"),
    _number("as_of"),
    Column("document", LargeBinary, nullable=False),  # JSON, zlib
    PrimaryKeyConstraint("domain", "as_of"),
    sqlite_with_rowid=False,
)

meta = Table(
    "meta",
    metadata,
    Column("name", Text, primary_key=True),
    _number("value"),
)
