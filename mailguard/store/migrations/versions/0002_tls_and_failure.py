"""TLS reports and, where they are wanted, failure reports."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _number(name: str, *, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=null)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "tls_report",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("mail_id", ID, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        *(_text(name) for name in ("organization", "contact", "report_id")),
        *(_number(name) for name in ("begin_s", "end_s", "day")),
        *(_number(f"policies_{name}") for name in ("read", "kept", "repaired", "dropped")),
        _number("defects_omitted"),
        _text("defects"),
        sa.ForeignKeyConstraint(["mail_id"], ["mail.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
    )
    op.create_index("tls_report_mail", "tls_report", ["mail_id"])
    op.create_index("tls_report_day", "tls_report", ["day"])
    op.create_table(
        "tls_policy",
        sa.Column("report_id", ID, nullable=False),
        _number("n"),
        *(_text(name) for name in ("type", "domain", "strings", "mx")),
        *(_number(name, null=True) for name in ("successful", "failed")),
        _text("failures"),
        sa.ForeignKeyConstraint(["report_id"], ["tls_report.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("report_id", "n"),
        sqlite_with_rowid=False,
    )
    op.create_index("tls_policy_domain", "tls_policy", ["domain"])
    op.create_table(
        "failure_report",
        sa.Column("mail_id", ID, nullable=False),
        _number("n"),
        *(_text(name) for name in ("feedback_type", "auth_failure", "reported_domain", "mail_from_domain")),
        *(_text(name) for name in ("dkim_domain", "dkim_selector", "source_ip", "delivery_result")),
        *(_text(name) for name in ("identity_alignment", "reporting_mta")),
        _number("arrival", null=True),
        _number("incidents"),
        sa.ForeignKeyConstraint(["mail_id"], ["mail.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("mail_id", "n"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Drop them; the mails stay, and reading them again brings the TLS reports back."""
    for table in ("failure_report", "tls_policy", "tls_report"):
        op.drop_table(table)
