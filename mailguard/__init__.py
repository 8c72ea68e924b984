"""mailguard: can a stranger send mail in a hospital's name, how do we know, and what should be published.

The house in one look (docs/architecture.md has the long form):

* Pure inside. ``names``, ``inquiry``, ``spf/``, ``dkim/``, ``dmarc/``, ``zone/``, ``survey``, ``dossier``,
  ``rules/``, ``remedy/`` and ``policy/`` know no socket, clock, file or randomness. Asking DNS is a generator that
  yields questions; the time is an argument.
* I/O at the rim. ``resolver/`` asks, ``evidence`` files keep, ``ingest/`` receives, ``store/`` stores, ``cli/`` talks.
* Three truths, never two. A fact is present, absent or unanswered, in code and in words.
"""

__version__ = "0.1.0"
