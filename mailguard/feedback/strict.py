"""Reading a report as the well-formed XML it should be, one child of the root element at a time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, Protocol, cast
from xml.etree.ElementTree import Element, ParseError, XMLPullParser, fromstring
from xml.parsers import expat

from mailguard.feedback.layout import Layout, Texts
from mailguard.feedback.limits import CHUNK_BYTES, Damaged, Limits, OverLimit
from mailguard.feedback.wording import LONGEST_PLAIN, Patterns, element_of_text, of_text

if TYPE_CHECKING:
    _Parser = XMLPullParser[Any]

_BLANKS: Final = b" \t\r\n"
_MOST_BLANKS: Final = 4_096
# What comes before the first child in nearly all reports: no other parser would see anything else in it.
_OPENING: Final = re.compile(
    rb"""(?:<\?xml[ ]version=["']1\.0["'](?:[ ]encoding=["'](?:utf-8|us-ascii|iso-8859-1)["'])?[ ]?\?>)?"""
    rb"""[ \t\r\n]{0,1000}<(feedback)(?:[ \t\r\n]+[\w:.-]{1,100}=(?:"[^"<>&]{0,1000}"|'[^'<>&]{0,1000}')){0,10}>""",
    re.IGNORECASE,
)
_PATTERNS: Final = Patterns()  # for all documents: the next may be of the same reporter
_CHILD: Final = re.compile(rb"[ \t\r\n]*(<([A-Za-z_]{1,40})>)")
_RECORD: Final = b"<record>"
_RECORD_END: Final = b"</record>"
_AFTER_END_TAG: Final = re.compile(rb"</[\w:.-]+\s*>[ \t\r\n]*\Z")
_LONGEST_END_TAG: Final = 200
_PARSED_BYTES: Final = 32 * 1024


class NotWellFormed(Exception):
    """The file is no well-formed XML document, or its root element is another; the text says what the parser said."""


class Children(Protocol):
    """Who is given the children of the root element."""

    def take(self, child: Element) -> None:
        """Read one child; it is emptied afterwards."""

    def take_record(self, layout: Layout, texts: Texts) -> None:
        """Read one record that was not parsed."""

    def drop(self, child: Element) -> None:
        """A child with more elements than the bound allows."""

    def count(self, elements: int) -> None:
        """So many elements were parsed for the last child. Raises OverLimit for ``elements``."""


class _RootReached(Exception):
    pass


def read_strictly(chunks: Iterable[bytes], limits: Limits, children: Children) -> None:
    """Give every child of the root element to ``children``, in constant memory.

    Raises NotWellFormed, and OverLimit for ``doctype``, ``prolog_bytes``, ``depth``, ``attributes``, ``elements``,
    ``record_bytes``, ``record_elements``.
    """
    pieces = iter(chunks)
    try:
        head = _read_prolog(pieces, limits)
        _read_body(chain((head,), pieces), limits, children)
    except (ParseError, expat.ExpatError, ValueError, LookupError) as error:
        # ValueError and LookupError: an encoding that the parser cannot do, or that does not exist.
        # Without the line: records that were not given to the parser do not count in it.
        raise NotWellFormed(str(error).partition(": line")[0][:100]) from error
    except Damaged as error:
        raise NotWellFormed(str(error)) from error


def _read_prolog(pieces: Iterator[bytes], limits: Limits) -> bytes:
    """The bytes up to the first start tag and some more, known to hold no document type.

    A parser of its own does this, for it sees the declaration in any encoding. Without a document type there are no
    entities to expand, no external files and no default attributes.
    """
    guard = expat.ParserCreate()
    if hasattr(guard, "SetReparseDeferralEnabled"):
        guard.SetReparseDeferralEnabled(False)  # for the reason that _parse gives
    guard.StartDoctypeDeclHandler = _refuse_doctype
    guard.StartElementHandler = _stop_at_root
    head, seen = b"", 0
    for piece in pieces:
        seen += len(piece)
        # A blank line before the declaration makes it no declaration; people look past it.
        clean = piece if head else piece.lstrip(_BLANKS)
        head += clean
        if seen == len(piece) and _opening_of(head, limits):
            return head
        try:
            guard.Parse(clean, False)
        except _RootReached:
            if guard.CurrentByteIndex <= limits.prolog_bytes:
                return head
        if len(head) > limits.prolog_bytes or seen > limits.prolog_bytes + CHUNK_BYTES:
            raise OverLimit("prolog_bytes")
    raise NotWellFormed("no element")


def _opening_of(text: bytes, limits: Limits) -> re.Match[bytes] | None:
    """The declaration and the start tag of the root, where they are usual and the parser takes them."""
    found = _OPENING.match(text)
    return found if found and found.start(1) <= limits.prolog_bytes and _is_sound(found[0], found[1]) else None


@lru_cache(maxsize=64)
def _is_sound(opening: bytes, name: bytes) -> bool:
    try:
        fromstring(b"%s</%s>" % (opening, name))  # noqa: S314 - no document type can be in it
    except ParseError:
        return False
    return True


def _refuse_doctype(*_: object) -> None:
    raise OverLimit("doctype")


def _stop_at_root(name: str, _: dict[str, str]) -> None:
    if name.rpartition(":")[2].lower() != "feedback":
        raise NotWellFormed("another root element")
    raise _RootReached


def _read_body(pieces: Iterable[bytes], limits: Limits, children: Children) -> None:
    body = _Body(limits, children)
    for piece in pieces:
        body.feed(piece)
    body.close()


class _Body:
    """The pieces of a document on their way to the parser.

    Most children of the root need no parser: those in plain text are read by ``of_text`` and ``element_of_text``, and
    the parser never sees them. A whole element taken out there leaves a document well-formed, or as broken as it was.
    Comments, CDATA sections and processing instructions can hold text that looks like records, so from the first of
    them on the parser gets everything. It is begun when it is needed; in most documents it never is.
    """

    def __init__(self, limits: Limits, children: Children) -> None:
        self._limits = limits
        self._children = children
        self._parser: _Parser | None = None
        self._flush: Callable[[], None] = _do_nothing
        self._walk = _Walk(limits, children)
        self._opening = self._closing = b""  # the tags of the root, where the first was not given to a parser
        self._waiting = b""
        self._first = True
        self._plain = True
        self._between_children = False
        self._unfinished = 0

    def feed(self, piece: bytes) -> None:
        """Take the next bytes of the document."""
        data = self._waiting + piece if self._waiting else piece
        self._waiting = b""
        if self._first and (root := _opening_of(data, self._limits)):
            self._opening, self._closing = root[0], b"</%s>" % root[1]
            self._first, self._between_children = False, True
            data = data[root.end() :]
        if self._plain:
            data = self._take_records(data)
        self._parse_in_pieces(data)

    def close(self) -> None:
        """The document ends here."""
        if self._parser is None and self._waiting.strip(_BLANKS) == self._closing != b"":
            return
        self._parse_in_pieces(self._waiting)
        parser = self._parser or self._begin_parser()
        parser.close()
        self._walk.follow(parser)

    def _take_records(self, data: bytes) -> bytes:
        """Take records as long as all is plain; what is left for the parser."""
        text = data.decode("latin-1")  # for patterns; what is not ASCII matches none
        at = self._take_alike(text, 0)
        while (begin := data.find(_RECORD, at)) >= 0 and (end := data.find(_RECORD_END, begin)) >= 0:
            end += len(_RECORD_END)
            if not self._pass_over(data[at:begin]):
                return data[begin:]
            if not self._take_record(data[begin:end]):
                return data[end:]
            at = self._take_alike(text, end)
        # What may be the beginning of a record waits for the rest of it.
        cut = begin if begin >= 0 else data.rfind(b"<", at)
        if cut < 0 or len(data) - cut > LONGEST_PLAIN:
            cut = len(data)
        if not self._pass_over(data[at:cut]):
            return data[cut:]
        self._waiting = data[cut:]
        return b""

    @property
    def _is_between_children(self) -> bool:
        return self._between_children and (self._parser is None or self._walk.depth == 1)

    def _take_alike(self, text: str, at: int) -> int:
        """Take records that are written like earlier ones, for as long as they follow each other; where they end."""
        if self._is_between_children:
            for layout, texts, end in _PATTERNS.each(text, at):
                self._children.take_record(layout, texts)
                self._unfinished, at = 0, end
        return at

    def _take_record(self, record: bytes) -> bool:
        """Take or parse one record; whether all is plain still."""
        found = of_text(record) if self._is_between_children else None
        if found is None:
            return self._pass_over(record)
        wording, texts = found
        _PATTERNS.add(wording)
        self._children.take_record(wording.layout, texts)
        self._unfinished = 0
        return True

    def _pass_over(self, text: bytes) -> bool:
        """Text that is blank, or for the parser; whether all is plain still."""
        if not _is_blank(text):
            # The declaration stands at the very beginning; what else begins like it is a processing instruction.
            self._plain = b"<!" not in text and text.find(b"<?", int(self._first)) < 0
            self._first = False
            self._parse_in_pieces(self._take_others(text) if self._plain and self._is_between_children else text)
        return self._plain

    def _take_others(self, text: bytes) -> bytes:
        """Take children of the root that are no records; what is left for the parser."""
        at = 0
        while match := _CHILD.match(text, at):
            end_tag = b"</%s>" % match[2]
            part, found, _ = text[match.start(1) :].partition(end_tag)
            element = element_of_text(part + found, self._limits.depth - 1)
            if element is None:
                break
            self._children.take(element)
            at = match.start(1) + len(part) + len(end_tag)
        return b"" if _is_blank(text[at:]) else text[at:]

    def _parse_in_pieces(self, data: bytes) -> None:
        # So that a bound is met before the parser has made elements of much that lies beyond it.
        for at in range(0, len(data), _PARSED_BYTES):
            self._parse(data[at : at + _PARSED_BYTES])

    def _begin_parser(self) -> _Parser:
        parser: _Parser = XMLPullParser(("start", "end"))
        self._flush = getattr(parser, "flush", _do_nothing)
        self._parser = parser
        if self._opening:
            parser.feed(self._opening)
            self._flush()
            self._walk.follow(parser)
        return parser

    def _parse(self, data: bytes) -> None:
        parser = self._parser or self._begin_parser()
        parser.feed(data)
        # expat 2.6 puts off what follows an unfinished tag, while we have to know where the parser stands and whether a
        # bound is met. That nobody makes it scan a long tag again and again is what the bound below is for.
        self._flush()
        self._unfinished = len(data) if self._walk.follow(parser) else self._unfinished + len(data)
        # Also ends tags and texts that never end: the parser would scan them anew with every piece.
        if self._unfinished > self._limits.record_bytes:
            raise OverLimit("record_bytes")
        self._between_children = _AFTER_END_TAG.search(data, max(0, len(data) - _LONGEST_END_TAG)) is not None


def _is_blank(text: bytes) -> bool:
    return len(text) <= _MOST_BLANKS and not text.strip(_BLANKS)


def _do_nothing() -> None:
    """Parsers before expat 2.6 put nothing off."""


class _Walk:
    """Where in the tree the parser is."""

    __slots__ = ("children", "depth", "elements", "limits", "most", "root")

    def __init__(self, limits: Limits, children: Children) -> None:
        self.limits = limits
        self.children = children
        self.depth = 0
        self.elements = 0
        self.most = 10 * limits.record_elements
        self.root: Element | None = None

    def follow(self, parser: _Parser) -> bool:
        """Handle what the parser has seen since; whether a child of the root ended."""
        # The hottest loop of the parser's way: two rounds per element, so what every element needs stands in it.
        depth, ended = self.depth, False
        for event, element in cast("Iterator[tuple[str, Element]]", parser.read_events()):
            if event == "start":
                depth += 1
                self.elements += 1
                if depth > self.limits.depth:
                    raise OverLimit("depth")
                if self.elements > self.most:
                    raise OverLimit("record_elements")
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
        self.children.count(self.elements)
        self.elements = 0
        assert self.root is not None
        self.root.clear()
