"""What the peer said, as values."""

from __future__ import annotations

from dataclasses import dataclass

from mailguard.inquiry import Question


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerVerdict:
    """checkdmarc's verdict on one standard.

    ``valid`` is ``None`` where it had nothing to judge by: a question that decides was never asked, or it broke.
    ``kind`` is the name of its exception class (empty where there was none), the only machine-readable word it has.
    ``error`` and ``warnings`` are its own English prose. ``failed`` are the questions it met that nobody answered.
    """

    valid: bool | None
    kind: str = ""
    record: str | None = None
    error: str = ""
    warnings: tuple[str, ...] = ()
    failed: tuple[Question, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerSpf(PeerVerdict):
    """``lookups`` and ``void_lookups`` are ``None`` where it gave up before it had counted."""

    lookups: int | None = None
    void_lookups: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerDmarc(PeerVerdict):
    """``policy`` is the ``p`` of the record found at ``location``, whatever name was asked about."""

    location: str | None = None
    policy: str | None = None
    subdomain_policy: str | None = None
    nonexistent_subdomain_policy: str | None = None
    testing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerMx(PeerVerdict):
    """``hosts`` in order of preference, without final dots; ``null`` for the null MX of RFC 7505."""

    hosts: tuple[str, ...] = ()
    null: bool = False


@dataclass(frozen=True, slots=True)
class Opinion:
    """All that checkdmarc said about one domain on the evidence of one audit.

    ``missing`` are the questions it asked and found no answer to in the evidence, whether or not they decide.
    """

    version: str
    spf: PeerSpf
    dmarc: PeerDmarc
    mx: PeerMx
    missing: tuple[Question, ...] = ()
