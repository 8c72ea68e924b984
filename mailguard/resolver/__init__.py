"""Asking DNS for real.

Theory of operation
-------------------
An audit is an inquiry; ``drive`` brings it to its end by asking a ``Session``, which holds the budget of one domain and
keeps the record; a session asks the ``Resolver``, of which a process has one. The resolver answers from its cache,
joins a question already under way, or starts an ``Exchange``, which brings the question to the servers through
``Upstream``'s sockets. ``wire`` knows the octets.

::

    async with Resolver(ResolverSettings(nameservers=(parse_nameserver("127.0.0.1"),))) as resolver:
        with Session(resolver) as session:
            survey = await drive(take_survey(domain, probe_label=label), session)
            evidence = session.answers

What we are sure of. A response counts only if the id, the question and the source match; anything else is ignored and
never ends the wait. A denial counts only if a server vouches for it (``wire._nothing``). Everything else, of which
there is much, is *unanswered*: SERVFAIL, REFUSED, silence, nonsense, lame servers and referrals, CNAME loops.

What we lean on. We ask recursive servers, best a validating one on the same machine. The AD flag is kept as received
beside the server's address; whether that server is to be believed is for the reader of the answer to say.

Why our own sockets. dnspython's resolver opens one per question and costs twice the processor time; a few dozen random
ports that change, with random ids, leave a forger no better chance than he has against a forwarder, and the cache
never has two equal questions under way for him to exploit. dnspython reads the names and the records.

Bounds: 500 questions in flight, 64 KB and 500 records a response, 16 aliases, 6 s a question, 100 questions and 20 s a
session, 20,000 answers and 64 MB in the cache.
"""

from mailguard.resolver.driver import drive
from mailguard.resolver.resolver import Resolver
from mailguard.resolver.session import DEADLINE_S, MAX_QUESTIONS, Session
from mailguard.resolver.settings import NameServer, ResolverSettings, parse_nameserver
from mailguard.resolver.sockets import Statistics

__all__ = [
    "DEADLINE_S",
    "MAX_QUESTIONS",
    "NameServer",
    "Resolver",
    "ResolverSettings",
    "Session",
    "Statistics",
    "drive",
    "parse_nameserver",
]
