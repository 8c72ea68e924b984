"""What is kept: received mails, the reports in them, and their records.

SQLite in WAL mode with ``synchronous=FULL``, for what was acknowledged to a sender must survive a power cut. One thread
owns the writing connection (``writer.py``); readers open their own, read-only. SQL is written out, with parameters for
every value; the schema grows by numbered files in ``migrations/`` that are never changed once released.

Doing a thing twice changes nothing: a mail is known by the SHA-256 of its bytes, a report by who sent it, its id, the
policy domain and its range. The first report under a key stays; another one under the same key with other content is
remembered as a conflict and not counted, so that nobody can overwrite what somebody else reported.

The key has a column for the *authenticated* domain of the sender. Until the listener checks senders it is empty, which
means "nobody has vouched for this"; claimed names never stand in its place.
"""
