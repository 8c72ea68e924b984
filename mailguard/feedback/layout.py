"""Where in a record its values stand.

A reporter writes all its records alike, and nearly all reporters write them in one of a few dozen ways. So where the
values stand is worked out once per way (``Layout``); reading a record is then picking texts by position. The texts come
from parsed elements (``of_element``), or, for a record in plain text, from its very letters (``wording.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final
from xml.etree.ElementTree import Element

MOST_ELEMENTS: Final = 100
"""Larger outlines are not remembered and not cut, so that what is remembered stays below some megabytes."""

LONGEST_PLAIN: Final = 16 * 1024
"""A record with more bytes is not plain."""

_PLAIN: Final = bytes([0x09, 0x0A, *range(0x20, 0x7F)]).replace(b"&", b"")

Outline = tuple[tuple[str, int], ...]
"""Name and number of children of every element, in the order of their start tags."""

Texts = Sequence[str]
"""The text of every element before its first child, in the same order."""


@dataclass(frozen=True, slots=True)
class ResultAt:
    """Positions of one DKIM or SPF result. ``label`` is the selector or the scope."""

    domain: int | None
    label: int | None
    result: int | None


@dataclass(frozen=True, slots=True)
class ReasonAt:
    """Positions of one reason; ``own`` is its own text, which some reporters put in place of a type."""

    own: int
    type: int | None
    comment: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Positions in the texts of a record; ``None`` where an element is not there.

    ``bent`` names elements that were found in another place or under another name than the standard's. ``rest`` picks
    all texts but those of ``source_ip`` and ``count``: records that agree in these differ in nothing else.
    """

    source_ip: int | None
    count: int | None
    disposition: int | None
    dkim: int | None
    spf: int | None
    reasons: tuple[ReasonAt, ...]
    header_from: int | None
    envelope_from: int | None
    envelope_to: int | None
    dkim_results: tuple[ResultAt, ...]
    spf_results: tuple[ResultAt, ...]
    bent: tuple[str, ...]
    rest: Callable[[Texts], Any]


class _Node:
    """An element of an outline: its position, and its children by their names without namespace."""

    __slots__ = ("at", "inside")

    def __init__(self, at: int) -> None:
        self.at = at
        self.inside: dict[str, list[_Node]] = {}

    def first(self, *names: str) -> _Node:
        """The first child of the first of these names that there is; without any, a node without position."""
        return next((self.inside[name][0] for name in names if name in self.inside), _NOWHERE)

    def position(self, name: str) -> int | None:
        """Position of the first child of this name."""
        return self.inside[name][0].at if name in self.inside else None

    def all(self, name: str) -> list[_Node]:
        """All children of this name."""
        return self.inside.get(name, [])


_NOWHERE: Final = _Node(-1)


def local_name(tag: str) -> str:
    """The name without its namespace, in lower case: many reports have no namespace, some a wrong one."""
    return tag.rpartition("}")[2].lower()


def of_element(record: Element) -> tuple[Layout, Texts]:
    """Layout and texts of a parsed record."""
    elements = list(record.iter())
    outline = tuple([(element.tag, len(element)) for element in elements])
    return _layout(outline), [element.text or "" for element in elements]


def _layout(outline: Outline) -> Layout:
    return _remembered(outline) if len(outline) <= MOST_ELEMENTS else _work_out(outline)


@lru_cache(maxsize=256)
def _remembered(outline: Outline) -> Layout:
    return _work_out(outline)


def _work_out(outline: Outline) -> Layout:
    record = _tree(outline)
    bent = [name for name in ("source_ip", "count", "policy_evaluated", "identities") if name in record.inside]
    row = record.first("row") if "row" in record.inside else record
    evaluated = row.first("policy_evaluated") if "policy_evaluated" in row.inside else record.first("policy_evaluated")
    # "identities" is the spelling of early drafts.
    identifiers = record.first("identifiers", "identities")
    results = record.first("auth_results")
    source_ip, count = row.position("source_ip"), row.position("count")
    others = [at for at in range(len(outline)) if at not in (source_ip, count)]
    return Layout(
        source_ip,
        count,
        evaluated.position("disposition"),
        evaluated.position("dkim"),
        evaluated.position("spf"),
        tuple(ReasonAt(one.at, one.position("type"), one.position("comment")) for one in evaluated.all("reason")),
        identifiers.position("header_from"),
        identifiers.position("envelope_from"),
        identifiers.position("envelope_to"),
        tuple(_result(one, "selector") for one in results.all("dkim") if one.inside),
        tuple(_result(one, "scope") for one in results.all("spf") if one.inside),
        tuple(bent),
        itemgetter(*others),
    )


def _result(node: _Node, label: str) -> ResultAt:
    return ResultAt(node.position("domain"), node.position(label), node.position("result"))


def _tree(outline: Outline) -> _Node:
    root = _Node(0)
    open_nodes = [(root, outline[0][1])]  # with the number of children still to come
    for at, (tag, children) in enumerate(outline[1:], start=1):
        while not open_nodes[-1][1]:
            open_nodes.pop()
        parent, to_come = open_nodes[-1]
        open_nodes[-1] = (parent, to_come - 1)
        node = _Node(at)
        parent.inside.setdefault(local_name(tag), []).append(node)
        open_nodes.append((node, children))
    return root
