"""What a case of the suite is."""

from __future__ import annotations

from dataclasses import dataclass

from tests.feedback.mails import mail

Counts = tuple[tuple[int, int, int, int], ...]


@dataclass(frozen=True)
class Case:
    """A mail and what is in it.

    ``person`` is how many records (TLS: policies) a patient person would read in it: those whose source and number of
    messages (TLS: whose domain) can be told from what was put in, with the tools that unpack files and without a
    password. It is counted by hand, from how the case is made, and never from what the program says. ``reports`` are
    the counts read, kept, repaired and dropped of each report in order; ``tls`` the same of TLS reports; ``refused``
    the reasons of files that could not be read. ``defects`` says whether something must be named as wrong.
    """

    name: str
    raw: bytes
    person: int
    reports: Counts = ()
    tls: Counts = ()
    refused: tuple[str, ...] = ()
    defects: bool = False
    failures: int = 0


def clean(data: bytes) -> bytes:
    """A mail that carries one file as it should be carried."""
    return mail(data, "application/octet-stream", "reporter.example!clinic.example.jp!1790000000!1790086399.xml")


def counts(*reports: tuple[int, int, int, int]) -> Counts:
    return reports
