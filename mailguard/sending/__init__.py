"""Guides by mail: through the consultant's own mail server, to each clinic once.

::

    audits ──> messages ──preview──> outbox ──gate, list, rate──> SMTP server
                                       │ pending ──> sending ──> sent ──> bounced
                                       │    ^           ├──────> failed
                                       │    └─ 4xx ─────┤
                                       │                └─?────> unclear
                                       └ stopped addresses: opt-outs, bounces

What is sent lies in the outbox byte for byte before, but for its Date, so what was looked at in the preview is what
goes out. The outbox is an SQLite file of its own and not part of the store of reports: it belongs to whoever sends,
holds addresses and letters that have nothing to do with reports, is locked by whoever is sending, and is kept for as
long as the sender wants it.

The failure story, which the code follows. A message is known by recipient, book number and kind; there is one row for
it, ever. Its row says ``sending``, durably, before the first byte of DATA is written, and ``sent`` after the server's
250. Between those two nobody can know who has it:

* The process dies before ``sending``: nothing was handed over. It is ``pending`` and goes out at the next run.
* It dies, or the connection does, between ``sending`` and the reply to the final dot: the server may have taken it or
  not (RFC 5321 4.5.3.2.6 knows no better). The message becomes ``unclear`` and is never sent again, until a person who
  has looked (into the server's log, by the Message-ID; or asked the clinic) says so: ``guide outbox settle``.
* It dies after the 250 and before ``sent``: the same, and indeed the message has gone out.
* The server says 4xx: it has not taken it. ``pending`` again, for a later run. 5xx: ``failed``.

Sent again on a person's word, it is the same bytes with the same Message-ID.

One run at a time: the outbox is locked with ``flock``, which the system lifts from a dead process. So what says
``sending`` when a run begins was left by one that died.

Whoever said no, or could not be reached for good, gets nothing more from this outbox, whatever a list says: stopped
addresses are kept until a person allows them again. A bounce counts only where it names a message of ours by its
Message-ID or envelope id, which hold a random part: nobody who has not had the message can stop another one.
"""
