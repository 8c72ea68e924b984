"""The exceptions of mailguard.

::

    MailguardError
    +-- UsageError            what the user asked for cannot be done; exit code 2
    |   +-- DomainError       a text that is no domain name
    |   +-- PolicyError       a policies/*.toml file that does not say what it must
    |   +-- EvidenceError     an evidence file that cannot be read
    +-- OperationError        our own failure (disk, socket, a bug we caught); exit code 4

What a domain publishes, however broken, is never an exception: it is a result (``permerror``, a finding). What could
not be asked is no exception either: it is an ``Answer`` whose status says so. Every message is one sentence that
names what was wrong, where, and what to do about it.
"""


class MailguardError(Exception):
    """Any failure that mailguard itself raises."""


class UsageError(MailguardError):
    """The request cannot be carried out as it was made; trying again unchanged cannot help."""


class DomainError(UsageError):
    """A text that cannot be understood as a domain name."""


class PolicyError(UsageError):
    """A policy file with an unknown key, a wrong type or an impossible value."""


class EvidenceError(UsageError):
    """An evidence file that is not in our format, or is damaged."""


class OperationError(MailguardError):
    """Something on our side failed; trying again may help."""
