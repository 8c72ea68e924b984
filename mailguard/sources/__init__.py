"""Ways in for mails that lie somewhere already: files and folders (``files.py``) and a mailbox (``mailbox.py``).

Each gives ``ReceivedMail`` values and decides nothing about what is in them. What could not be given is told with its
place and one word for the reason, and costs nothing else.

The failure story of a mailbox, which the code follows. A mail is moved (or marked) only after the caller has said
``commit`` for it, and the caller says so when the store is durable. Whatever happens before that, the mail lies where
it lay and is given again; what was stored already is known by the digest of its bytes. A connection that is cut
between the commit and the move leaves the move to the next connection, or, where the process dies too, to the next
time the mail is given. UIDs mean nothing once UIDVALIDITY has changed (RFC 3501 2.3.1.1), so nothing is moved by a
UID of another validity. A mail that is no report is read without setting any flag (EXAMINE and BODY.PEEK) and never
touched.
"""
