"""How a file becomes an aggregate report.

A file is read twice at most: strictly, record by record as the XML parser meets them, and where it turns out not to
be well-formed, once more in pieces (``salvage.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from typing import TYPE_CHECKING

from mailguard.feedback.collect import Collector
from mailguard.feedback.limits import DEFAULT_LIMITS, Enough, Limits, OverLimit
from mailguard.feedback.report import AggregateReport, DefectKind, Unreadable
from mailguard.feedback.salvage import read_in_pieces
from mailguard.feedback.strict import NotWellFormed, read_strictly

if TYPE_CHECKING:
    from hashlib import _Hash


def read_aggregate(
    open_chunks: Callable[[], Iterable[bytes]], place: str = "", limits: Limits = DEFAULT_LIMITS
) -> AggregateReport | Unreadable:
    """Read one report file.

    Args:
        open_chunks: begins the file's content anew each time it is called; pieces of any size. They may raise
            ``Damaged`` and ``OverLimit``.
        place: where the file lay, for ``Unreadable.place``.

    Returns:
        The report or why there is none. Never raises for what stands in the file. Bounds: ``prolog_bytes`` to
        ``defects`` of ``Limits``; memory grows with the number of records kept, about 1 KiB each.
    """
    try:
        digest, collector = sha256(), Collector(limits)
        try:
            read_strictly(_hashed(open_chunks(), digest), limits, collector)
        except NotWellFormed as broken:
            digest, collector = sha256(), Collector(limits)
            collector.note(DefectKind.NOT_WELL_FORMED, "", str(broken))
            read_in_pieces(_hashed(open_chunks(), digest), limits, collector)
    except Enough:
        pass
    except OverLimit as bound:
        return Unreadable(place, str(bound))
    report = collector.report(digest.digest())
    return report if isinstance(report, AggregateReport) else Unreadable(place, report)


def _hashed(chunks: Iterable[bytes], digest: _Hash) -> Iterator[bytes]:
    for chunk in chunks:
        digest.update(chunk)
        yield chunk
