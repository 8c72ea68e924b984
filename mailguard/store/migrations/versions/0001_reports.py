"""Mails, aggregate reports with their records, and daily roll-ups."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(name: str, *, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=null)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def upgrade() -> None:
    """Make the tables."""
    superseded = sa.text("superseded_by IS NOT NULL")
    op.create_table(
        "mail",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        _number("received_at"),
        _text("way"),
        _text("origin"),
        _text("peer"),
        _text("helo"),
        _text("tls"),
        _text("mail_from"),
        _text("rcpt_to"),
        _number("size"),
        _text("authentication"),
        sa.Column("raw", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("sha256"),
    )
    op.create_table("meta", _text("name"), _number("value"), sa.PrimaryKeyConstraint("name"))
    op.create_table(
        "rollup_day",
        _text("policy_domain"),
        _number("day"),
        _text("grade"),
        _text("reporter"),
        _text("disposition"),
        _text("dkim_aligned"),
        _text("spf_aligned"),
        _number("messages"),
        sa.PrimaryKeyConstraint(
            "policy_domain", "day", "grade", "reporter", "disposition", "dkim_aligned", "spf_aligned"
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "rollup_source",
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
        sa.PrimaryKeyConstraint("policy_domain", "day", "grade", "reporter", "source_ip"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "report",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("mail_id", ID, nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("superseded_by", ID, nullable=True),
        _text("grade"),
        _text("reporter"),
        _text("trust_reasons"),
        _text("org_name"),
        _text("email"),
        _text("extra_contact_info"),
        _text("report_id"),
        _text("policy_domain"),
        _number("begin_s"),
        _number("end_s"),
        _number("day"),
        _text("p", null=True),
        _text("sp", null=True),
        _text("np", null=True),
        _text("adkim", null=True),
        _text("aspf", null=True),
        _text("pct", null=True),
        _text("fo", null=True),
        _text("testing", null=True),
        _text("discovery_method", null=True),
        _text("version"),
        _text("generator"),
        _text("errors"),
        _number("records_read"),
        _number("records_kept"),
        _number("records_repaired"),
        _number("records_dropped"),
        _number("defects_omitted"),
        _number("messages"),
        sa.ForeignKeyConstraint(["mail_id"], ["mail.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["superseded_by"], ["report.id"], ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    op.create_index("report_digest", "report", ["digest"])
    op.create_index("report_mail", "report", ["mail_id"])
    op.create_index(
        "report_superseded", "report", ["superseded_by"], sqlite_where=superseded, postgresql_where=superseded
    )
    op.create_index("report_window", "report", ["policy_domain", "day"])
    op.create_table(
        "unreadable",
        sa.Column("mail_id", ID, nullable=False),
        _number("n"),
        _text("place"),
        _text("reason"),
        sa.ForeignKeyConstraint(["mail_id"], ["mail.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("mail_id", "n"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "defect",
        sa.Column("report_id", ID, nullable=False),
        _number("n"),
        _text("kind"),
        _text("place"),
        _text("detail"),
        sa.ForeignKeyConstraint(["report_id"], ["report.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("report_id", "n"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "record",
        sa.Column("report_id", ID, nullable=False),
        _number("n"),
        _text("source_ip"),
        _number("messages"),
        _text("disposition"),
        _text("dkim_aligned"),
        _text("spf_aligned"),
        _text("header_from"),
        _text("envelope_from", null=True),
        _text("envelope_to", null=True),
        _text("reasons"),
        _text("auth_results"),
        sa.CheckConstraint("messages >= 0", name="messages_not_negative"),
        sa.ForeignKeyConstraint(["report_id"], ["report.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("report_id", "n"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "report_conflict",
        sa.Column("report_id", ID, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("mail_id", ID, nullable=False),
        _number("records_kept"),
        _number("messages"),
        sa.ForeignKeyConstraint(["mail_id"], ["mail.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["report_id"], ["report.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("report_id", "digest"),
        sqlite_with_rowid=False,
    )
    op.create_index("report_conflict_mail", "report_conflict", ["mail_id"])
    op.create_table(
        "report_selector",
        sa.Column("report_id", ID, nullable=False),
        _text("domain"),
        _text("selector"),
        _number("passed"),
        _number("failed"),
        sa.ForeignKeyConstraint(["report_id"], ["report.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("report_id", "domain", "selector"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Drop them, and with them everything that was received."""
    tables = "report_selector report_conflict record defect unreadable report rollup_source rollup_day meta mail"
    for table in tables.split():
        op.drop_table(table)
