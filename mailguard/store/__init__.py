"""What is kept: received mails, the reports in them, their records, and daily sums.

``open_store(path or URL)`` gives a ``Store``; ``Store.add`` puts many mails away in one transaction that is durable on
return. SQLite (WAL, ``synchronous=FULL``: what was acknowledged must survive a power cut) or PostgreSQL. There is one
schema (``schema.py``), brought about by numbered steps (``migrations/``, Alembic). Writing does not go through
SQLAlchemy: the statements are few and stand in ``statements.py``, the rows are made in ``encode.py`` and decided upon
in ``filing.py``; what differs between the two databases is in ``sqlite.py`` and ``postgresql.py``.

Doing a thing twice changes nothing. A mail is known by the SHA-256 of its bytes. A report is known

* by the *proved* domain of its sender, its id, policy domain and range. Another one under the same key with other
  content is noted as a conflict and not counted; the first stays.
* where nothing is proved, by its content alone: whoever claims to be somebody else takes nobody's place.

The same content counts once, under the best proof there is: a better proved copy takes the place of a worse one, whose
row stays as superseded and is taken out of all sums. A copy that is proved worse is a duplicate. Since equal content
means equal numbers, no order of arrival and no forger changes what is counted.

Sums (``rollup_day``, ``rollup_source``) change in the same transaction as the rows they sum, by the very statement that
``mailguard db check`` recomputes them with. Questions (``reports.py``) name the least grade that they count; without a
word about it, only reports proved to come from their reporter.

Writers take turns, one transaction at a time, also across processes and in PostgreSQL: that makes "look, decide,
write" safe without retries, and costs little since one transaction holds many mails.
"""

from mailguard.store.store import Reader, Store, open_reader, open_store
from mailguard.store.values import Filed, Outcome, Stored

__all__ = ["Filed", "Outcome", "Reader", "Store", "Stored", "open_reader", "open_store"]
