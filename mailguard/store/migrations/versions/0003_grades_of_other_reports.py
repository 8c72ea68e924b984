"""Grades of TLS and failure reports, numbers for failure reports, and the memory of mails seen in mailboxes."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_TEXTS = (
    *("feedback_type", "auth_failure", "reported_domain", "mail_from_domain", "dkim_domain", "dkim_selector"),
    *("source_ip", "delivery_result", "identity_alignment", "reporting_mta"),
)
_KEPT = ", ".join(("mail_id", "n", *_TEXTS, "arrival", "incidents"))


def _text(name: str, default: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False, server_default=default)


def _number(name: str, *, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=null)


def _failure_columns() -> list[sa.Column[Any] | sa.ForeignKeyConstraint]:
    """What a failure report consists of in every version."""
    return [
        sa.Column("mail_id", ID, nullable=False),
        _number("n"),
        *(_text(name) for name in _TEXTS),
        _number("arrival", null=True),
        _number("incidents"),
        sa.ForeignKeyConstraint(["mail_id"], ["mail.id"], ondelete="CASCADE"),
    ]


def upgrade() -> None:
    """Reports that are there were graded by nobody. Reading their mails again grades them."""
    op.add_column("tls_report", _text("grade", "unverified"))
    op.add_column("tls_report", _text("reporter", ""))
    op.add_column("tls_report", _text("trust_reasons", '["not-checked"]'))
    op.add_column("tls_report", sa.Column("key", sa.LargeBinary(), nullable=True))
    op.execute("UPDATE tls_report SET reporter = substr(organization, 1, 253)")
    op.create_index("tls_report_key", "tls_report", ["key"], unique=True)
    op.create_table(
        "tls_conflict",
        sa.Column("report_id", ID, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("mail_id", ID, nullable=False),
        sa.ForeignKeyConstraint(["mail_id"], ["mail.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["report_id"], ["tls_report.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("report_id", "digest"),
        sqlite_with_rowid=False,
    )
    op.create_index("tls_conflict_mail", "tls_conflict", ["mail_id"])
    op.execute("CREATE TABLE failure_kept AS SELECT * FROM failure_report")
    op.drop_table("failure_report")
    op.create_table(
        "failure_report",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        *_failure_columns(),
        *(_text(name) for name in ("grade", "reporter", "trust_reasons")),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("failure_report_mail", "failure_report", ["mail_id", "n"], unique=True)
    op.execute(
        f"INSERT INTO failure_report (id, {_KEPT}, grade, reporter, trust_reasons) "  # noqa: S608 - our own names
        f"SELECT ROW_NUMBER() OVER (ORDER BY mail_id, n), {_KEPT}, 'unverified', reporting_mta, '[\"not-checked\"]' "
        "FROM failure_kept"
    )
    op.drop_table("failure_kept")
    op.create_table(
        "mailbox_mail",
        sa.Column("folder", sa.LargeBinary(), nullable=False),
        _number("validity"),
        _number("uid"),
        _text("outcome"),
        _text("reader"),
        _number("remembered_at"),
        sa.PrimaryKeyConstraint("folder", "validity", "uid"),
        sqlite_with_rowid=False,
    )
    op.create_index("mailbox_mail_age", "mailbox_mail", ["remembered_at"])


def downgrade() -> None:
    """Mailboxes are looked through anew then, and grades of these reports are lost."""
    op.drop_table("mailbox_mail")
    op.execute("CREATE TABLE failure_kept AS SELECT * FROM failure_report")
    op.drop_table("failure_report")
    op.create_table(
        "failure_report", *_failure_columns(), sa.PrimaryKeyConstraint("mail_id", "n"), sqlite_with_rowid=False
    )
    op.execute(f"INSERT INTO failure_report ({_KEPT}) SELECT {_KEPT} FROM failure_kept")  # noqa: S608 - as above
    op.drop_table("failure_kept")
    op.drop_table("tls_conflict")
    op.drop_index("tls_report_key", "tls_report")
    for name in ("key", "trust_reasons", "reporter", "grade"):
        op.drop_column("tls_report", name)
