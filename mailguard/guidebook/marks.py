"""Where a text of ours brings in a statement from the data: ```claim:id``` and ```cite:id```.

A mark is a type of span of its own, not a spelling: only what reads our texts (``texts.py``, ``pages.py``) makes one,
and never from a value that was filled in. A stranger's record that reads ``claim:rule`` stays what it is, a record.
"""

from __future__ import annotations

from typing import Final

from mailguard.guidebook.blocks import Kind, Span

CLAIM, CITE = "claim:", "cite:"
_WAYS: Final = (CLAIM, CITE)


class Mark(Span):
    """The place of a statement, or of the number of its source. ``claims.told`` puts them in; no renderer sees one."""

    __slots__ = ()

    @property
    def claim(self) -> str:
        """The statement's id."""
        return self.text.partition(":")[2]

    @property
    def is_whole(self) -> bool:
        """The statement itself, and not only its source's number behind a sentence that stands there already."""
        return self.text.startswith(CLAIM)


def own_code(text: str) -> Span:
    """Code of a text of ours, as it was written there: a mark where it is one. Not for values of others."""
    return (Mark if text.startswith(_WAYS) else Span)(text, Kind.CODE)
