"""The whole loop once, on one machine and without the internet: what ``mailguard demo`` shows.

::

    name server ──> audits ──────────────────────────────┐
       │   │                                             v
       │   └ selectors ──> second audit ──────────────> cases ──> guide, director's page, portfolio
       │         ^                                       ^
       └ keys ─> trust check ──> store ──> traffic ──────┘
                    ^
    signed reports, and a forged one ──SMTP──> listener

Fictional hospitals (``zones``) are audited over real sockets. Invented reporters (``reporters``, ``send``) mail a week
of DMARC reports about one of them. Each mail is signed, with a key that is made when the demonstration starts and that
the name server publishes; so our trust check proves their senders as it would prove real ones, and what the guide says
of traffic rests on proved reports. One report is forged: it is kept, and counted nowhere.

Everything here is a stage: the pieces that play on it are the real ones, and nothing outside this package imports it.
Two are left out for speed. There is no spool: a sender is told ``250`` when the report is in the database. And of the
guide only the director's page is drawn as PDF.
"""
