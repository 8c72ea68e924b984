"""Reading a report that is no well-formed XML: cut into its parts, each read by itself.

A person who opens such a file sees records, and one odd place. So the text is searched for the tags of the three parts
that matter; each part is parsed alone and, where it does not parse, once more with everything escaped that is not one
of the elements of a report. A part that stays broken is lost; the others are not.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from typing import Final
from xml.etree.ElementTree import Element, ParseError, fromstring

from mailguard.feedback.collect import Collector
from mailguard.feedback.limits import Damaged, Limits, OverLimit
from mailguard.feedback.report import DefectKind

_PREFIX: Final = r"(?:[A-Za-z_][\w.-]{0,63}:)?"
_REST_OF_TAG: Final = r"(?:\s[^<>]{0,1000})?"
_LONGEST_TAG: Final = 1_200
# Looked for first: a search for a tag costs thirty times as much. None holds an i, k or s, which have doubles outside
# ASCII that only the search for a tag knows.
_WORDS: Final = ("record", "metadata", "publ")
_PART: Final = re.compile(rf"<(/?){_PREFIX}(record|report_metadata|policy_published){_REST_OF_TAG}>", re.IGNORECASE)

_ELEMENTS: Final = (
    "record|report_metadata|policy_published|org_name|email|extra_contact_info|report_id|date_range|begin|end|error|"
    "generator|domain|p|sp|np|adkim|aspf|pct|fo|testing|discovery_method|row|source_ip|count|policy_evaluated|"
    "disposition|dkim|spf|reason|type|comment|identifiers|identities|header_from|envelope_from|envelope_to|"
    "auth_results|selector|result|human_result|scope"
)
# Those that are bare already are left alone: putting a tag in its own place was most of the work of mending.
_DRESSED_TAG: Final = re.compile(
    rf"<(?!/?(?:{_ELEMENTS})/?>)(/?){_PREFIX}({_ELEMENTS}){_REST_OF_TAG}?(/?)>", re.IGNORECASE
)
_STRAY_BRACKET: Final = re.compile(rf"<(?!/?(?:{_ELEMENTS})/?>)", re.IGNORECASE)
_STRAY_AMPERSAND: Final = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});)")
# XML 1.0 2.2: everything but these may stand in a document.
_NO_CHARACTER: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

_DOCTYPE: Final = re.compile(r"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_DECLARED: Final = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
# Encodings that reports have been seen in, or are likely to come in here. Not any codec: some do not decode text.
_ENCODINGS: Final = frozenset(
    {"utf-8", "ascii", "iso8859-1", "iso8859-15", "cp1252", "shift_jis", "cp932", "euc_jp", "iso2022_jp", "gb18030"}
)


def read_in_pieces(chunks: Iterable[bytes], limits: Limits, collector: Collector) -> None:
    """Give every part of a report that can be found to ``collector``.

    Raises OverLimit for ``doctype`` and ``elements``. Bounds: parts longer than ``record_bytes`` or with more than
    ``record_elements`` are dropped; at most twice that is kept in memory.
    """
    for name, part in _parts(_texts(chunks, collector), limits):
        elements = part.count("<") - part.count("</") if part else 0
        if part is None or elements > limits.record_elements:
            collector.lose(name)
        else:
            _read_part(name, part, elements, collector)
        collector.count(elements)


def _texts(chunks: Iterable[bytes], collector: Collector) -> Iterator[str]:
    """The file as text; what is no text in its encoding becomes U+FFFD. Stops where the file is damaged."""
    decoder: codecs.IncrementalDecoder | None = None
    searched = False
    try:
        for chunk in chunks:
            if decoder is None:
                decoder = codecs.getincrementaldecoder(_encoding_of(chunk))("replace")
            text = decoder.decode(chunk)
            # Before the first part only: inside one, a document type is no more than broken text.
            if not searched and _DOCTYPE.search(text.partition("<record")[0]):
                raise OverLimit("doctype")
            searched = True
            yield text
    except Damaged as damage:
        collector.note(DefectKind.CUT_SHORT, "", str(damage))


def _encoding_of(head: bytes) -> str:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    declared = _DECLARED.search(head)
    try:
        encoding = codecs.lookup(declared[1].decode("ascii")).name if declared else "utf-8"
    except LookupError:
        encoding = "utf-8"
    return encoding if encoding in _ENCODINGS - {"utf-8"} else "utf-8-sig"


def _parts(texts: Iterable[str], limits: Limits) -> Iterator[tuple[str, str | None]]:
    """Name and text of every part; ``None`` for one that is too long or was cut off.

    A part also ends where the next one begins.
    """
    buffer = ""
    idle = 0  # characters since the last part
    name, begun, position = "", 0, 0  # the part that is open, where its tag begins, where to search on
    for text in texts:
        buffer += text
        unread = buffer[position:].lower()
        worth_it = any(word in unread for word in _WORDS)
        while worth_it and (tag := _PART.search(buffer, position)):
            position = tag.end()
            if name and (not tag[1] or tag[2] == name):
                part = buffer[begun : tag.end() if tag[1] else tag.start()]
                yield name.lower(), part if tag[1] else f"{part}</{name}>"
                name = ""
            if not tag[1]:
                name, begun = tag[2], tag.start()
            idle = 0
        idle += len(text)
        if name and len(buffer) - begun > limits.record_bytes:
            yield name.lower(), None
            name = ""
        if not name and idle > limits.record_bytes:
            raise OverLimit("record_bytes")
        keep = begun if name else max(position, len(buffer) - _LONGEST_TAG)
        position = max(position, len(buffer) - _LONGEST_TAG) - keep
        buffer, begun = buffer[keep:], 0
    if name:
        yield name.lower(), None


def _read_part(name: str, part: str, elements: int, collector: Collector) -> None:
    mended = False
    element = _parse(part)
    if element is None:
        mended = True
        collector.count(elements)
        element = _parse(_mend(part))
    if element is None:
        collector.lose(name)
        return
    collector.take(element, mended=mended, undecodable="\ufffd" in part)


def _parse(part: str) -> Element | None:
    try:
        return fromstring(part)  # noqa: S314 - bounded in size, and a part cannot hold a document type
    except (ParseError, ValueError):
        return None


def _mend(part: str) -> str:
    """The part with nothing but the bare tags of a report left as markup; attributes and prefixes go."""
    bare = _DRESSED_TAG.sub(r"<\1\2\3>", _NO_CHARACTER.sub("", part))
    return _STRAY_AMPERSAND.sub("&amp;", _STRAY_BRACKET.sub("&lt;", bare))
