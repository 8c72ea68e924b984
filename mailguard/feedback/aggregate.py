"""How a file becomes aggregate reports.

A file is read twice at most: strictly, record by record as the XML parser meets them, and where it turns out not to
be well-formed, once more in pieces (``salvage.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from typing import TYPE_CHECKING

from mailguard.feedback.collect import Collector
from mailguard.feedback.documents import Document
from mailguard.feedback.limits import DEFAULT_LIMITS, Damaged, Effort, Enough, Limits, OverLimit
from mailguard.feedback.report import AggregateReport, DefectKind, Unreadable
from mailguard.feedback.salvage import read_in_pieces
from mailguard.feedback.strict import NotWellFormed, read_strictly

if TYPE_CHECKING:
    from hashlib import _Hash


def read_aggregates(
    open_chunks: Callable[[], Iterable[bytes]],
    place: str = "",
    limits: Limits = DEFAULT_LIMITS,
    effort: Effort | None = None,
) -> Iterator[AggregateReport | Unreadable]:
    """Read all reports in a file, usually one; as ``read_aggregate``. At most ``members`` of ``Limits``."""
    effort = effort or Effort.within(limits)
    for number in range(limits.members):
        document = Document(open_chunks, number)
        found = read_aggregate(document.chunks, place, limits, effort)
        yield found
        if not document.followed:
            return
    yield Unreadable(place, "members")


def read_aggregate(
    open_chunks: Callable[[], Iterable[bytes]],
    place: str = "",
    limits: Limits = DEFAULT_LIMITS,
    effort: Effort | None = None,
) -> AggregateReport | Unreadable:
    """Read one report.

    Args:
        open_chunks: begins the report's content anew each time it is called; pieces of any size. They may raise
            ``Damaged`` and ``OverLimit``.
        place: where the file lay, for people; its name may tell what the report does not.
        effort: what the mail that it came in may still cost; a new one for a file of its own.

    Returns:
        The report or why there is none. Never raises for what stands in the file. Bounds: ``prolog_bytes`` to
        ``defects`` of ``Limits``; memory grows with the number of records kept, by 1 KiB each at most where no two
        are alike and a quarter of it in usual reports.
    """
    try:
        effort = effort or Effort.within(limits)
        digest, collector = sha256(), Collector(limits, effort)
        pieces = _hashed(open_chunks(), digest)
        try:
            read_strictly(pieces, limits, collector)
        except NotWellFormed as broken:
            digest, collector = sha256(), Collector(limits, effort)
            collector.note(DefectKind.NOT_WELL_FORMED, "", str(broken))
            pieces = _hashed(open_chunks(), digest)
            read_in_pieces(pieces, limits, collector)
    except Enough:
        _read_to_the_end(pieces)
    except OverLimit as bound:
        return Unreadable(place, str(bound))
    report = collector.report(digest.digest(), place)
    return report if isinstance(report, AggregateReport) else Unreadable(place, report)


def _hashed(chunks: Iterable[bytes], digest: _Hash) -> Iterator[bytes]:
    for chunk in chunks:
        digest.update(chunk)
        yield chunk


def _read_to_the_end(pieces: Iterator[bytes]) -> None:
    """See whether another report follows, and take the digest of the whole, though no more records are wanted."""
    try:
        for _ in pieces:
            pass
    except (Damaged, OverLimit):
        pass
