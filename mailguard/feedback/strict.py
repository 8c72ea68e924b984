"""Reading a report as the well-formed XML it should be, one child of the root element at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol, cast
from xml.etree.ElementTree import Element, ParseError, XMLPullParser
from xml.parsers import expat

from mailguard.feedback.limits import Damaged, Limits, OverLimit

if TYPE_CHECKING:
    _Parser = XMLPullParser[Any]

_BLANKS = b" \t\r\n"


class NotWellFormed(Exception):
    """The file is no well-formed XML document, or its root element is another; the text says what the parser said."""


class Children(Protocol):
    """Who is given the children of the root element."""

    def take(self, child: Element) -> None:
        """Read one child; it is emptied afterwards."""

    def drop(self, child: Element) -> None:
        """A child with more elements than the bound allows."""


class _RootReached(Exception):
    pass


def read_strictly(chunks: Iterable[bytes], limits: Limits, children: Children) -> None:
    """Give every child of the root element to ``children``, in constant memory.

    Raises NotWellFormed, and OverLimit for ``doctype``, ``prolog_bytes``, ``depth``, ``attributes``, ``elements``,
    ``record_bytes``.
    """
    pieces = iter(chunks)
    try:
        head = _read_prolog(pieces, limits)
        _read_body(chain((head,), pieces), limits, children)
    except (ParseError, expat.ExpatError, ValueError, LookupError) as error:
        # ValueError and LookupError: an encoding that the parser cannot do, or that does not exist.
        raise NotWellFormed(str(error)[:100]) from error
    except Damaged as error:
        raise NotWellFormed(str(error)) from error


def _read_prolog(pieces: Iterator[bytes], limits: Limits) -> bytes:
    """The bytes up to the first start tag and some more, known to hold no document type.

    A parser of its own does this, for it sees the declaration in any encoding. Without a document type there are no
    entities to expand, no external files and no default attributes.
    """
    guard = expat.ParserCreate()
    guard.StartDoctypeDeclHandler = _refuse_doctype
    guard.StartElementHandler = _stop_at_root
    head = b""
    for piece in pieces:
        # A blank line before the declaration makes it no declaration; people look past it.
        clean = piece if head else piece.lstrip(_BLANKS)
        head += clean
        try:
            guard.Parse(clean, False)
        except _RootReached:
            if guard.CurrentByteIndex <= limits.prolog_bytes:
                return head
        if len(head) > limits.prolog_bytes:
            raise OverLimit("prolog_bytes")
    raise NotWellFormed("no element")


def _refuse_doctype(*_: object) -> None:
    raise OverLimit("doctype")


def _stop_at_root(name: str, _: dict[str, str]) -> None:
    if name.rpartition(":")[2] != "feedback":
        raise NotWellFormed("another root element")
    raise _RootReached


def _read_body(pieces: Iterable[bytes], limits: Limits, children: Children) -> None:
    parser: _Parser = XMLPullParser(("start", "end"))
    walk = _Walk(limits, children)
    unfinished = 0
    for piece in pieces:
        parser.feed(piece)
        unfinished = len(piece) if walk.follow(parser) else unfinished + len(piece)
        # Also ends tags and texts that never end: the parser would scan them anew with every piece.
        if unfinished > limits.record_bytes:
            raise OverLimit("record_bytes")
    parser.close()
    walk.follow(parser)


class _Walk:
    """Where in the tree the parser is."""

    __slots__ = ("children", "depth", "elements", "left", "limits", "root")

    def __init__(self, limits: Limits, children: Children) -> None:
        self.limits = limits
        self.children = children
        self.depth = 0
        self.elements = 0
        self.left = limits.elements
        self.root: Element | None = None

    def follow(self, parser: _Parser) -> bool:
        """Handle what the parser has seen since; whether a child of the root ended."""
        # The hottest loop of the reader: two rounds per element, so what every element needs stands in it.
        depth, ended = self.depth, False
        for event, element in cast("Iterator[tuple[str, Element]]", parser.read_events()):
            if event == "start":
                depth += 1
                self.elements += 1
                if depth > self.limits.depth:
                    raise OverLimit("depth")
                if len(element.keys()) > self.limits.attributes:
                    raise OverLimit("attributes")
                if self.root is None:
                    self.root = element
            else:
                depth -= 1
                if depth == 1:
                    self._leave_child(element)
                    ended = True
        self.depth = depth
        return ended

    def _leave_child(self, child: Element) -> None:
        if self.elements > self.limits.record_elements:
            self.children.drop(child)
        else:
            self.children.take(child)
        self.left -= self.elements
        if self.left < 0:
            raise OverLimit("elements")
        self.elements = 0
        assert self.root is not None
        self.root.clear()
