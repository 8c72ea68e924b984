"""Audits that are kept, so that a later guide can show what has changed. One domain has one audit a second."""

from __future__ import annotations

import json
import zlib
from datetime import datetime
from typing import Any, Final

from mailguard.store.database import Database

Document = dict[str, Any]

MAX_BYTES: Final = 64 * 2**20
"""Largest document that is unpacked; a usual one has 30 KB."""


def keep_audit(database: Database, document: Document) -> bool:
    """Keep an audit's document; False when this one is there already. Durable on return."""
    packed = zlib.compress(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode())
    with database.transaction():
        changed = database.run(
            "INSERT INTO audit (domain, as_of, document) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (document["domain"], _seconds(datetime.fromisoformat(document["as_of"])), packed),
        )
    return changed > 0


def audit_before(database: Database, domain: str, moment: datetime) -> Document | None:
    """The last audit of a domain kept before a moment."""
    rows = database.rows(
        "SELECT document FROM audit WHERE domain = ? AND as_of < ? ORDER BY as_of DESC LIMIT 1",
        (domain, _seconds(moment)),
    )
    return _unpacked(bytes(rows[0][0])) if rows else None


def list_audits(database: Database, domain: str = "") -> list[tuple[str, int]]:
    """Domain and moment (POSIX seconds) of every audit that is kept, of one domain or of all."""
    where, values = ("WHERE domain = ? ", (domain,)) if domain else ("", ())
    return [
        (name, moment)
        for name, moment in database.rows(f"SELECT domain, as_of FROM audit {where}ORDER BY domain, as_of", values)  # noqa: S608 - our own words
    ]


def _unpacked(packed: bytes) -> Document:
    document: Document = json.loads(zlib.decompressobj().decompress(packed, MAX_BYTES))
    return document


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
