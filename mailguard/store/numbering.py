"""The key behind the numbers that clinics have in a report without names: drawn once, and kept with the reports.

Whoever has the key and the list of domains can find out which number is whose, so it leaves the database in no export
and in no message. Lost, it is drawn anew, and every clinic gets another number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from mailguard.store.database import Database

_NAMES: Final = ("numbering-key-1", "numbering-key-2")
_BITS: Final = 62  # a number of the table is signed, and 64 bits long


def numbering_key(database: Database, fresh: Sequence[int]) -> bytes:
    """The key of this database. ``fresh`` are two random numbers below 2**62, which become it where there is none.

    Durable on return. Raises what the database raises where it cannot be written to.
    """
    with database.transaction():
        for name, value in zip(_NAMES, fresh, strict=True):
            database.run(
                "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING", (name, value % 2**_BITS)
            )
    kept = dict(database.rows("SELECT name, value FROM meta WHERE name IN (?, ?)", _NAMES))
    return b"".join(int(kept[name]).to_bytes(8, "big") for name in _NAMES)
