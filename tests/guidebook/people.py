"""Parts for people, of a domain in each state that a guide tells of."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec

from mailguard.dossier import Expectation
from mailguard.guidebook.blocks import Part, Reader
from mailguard.guidebook.book import PARTS
from mailguard.guidebook.claims import load_claims
from mailguard.guidebook.contacts import load_contacts
from mailguard.guidebook.glossary import load_glossary
from mailguard.guidebook.texts import Texts
from mailguard.render.document import Document
from tests.guidebook.cases import case_of
from tests.render.documents import document_of
from tools.guide_catalogue import ROOT, catalogues, messages

_OURS = re.compile(r"```.*?```|`[^`]*`|\{[^}]*\}|\*\*|\n", re.DOTALL)  # between these stand our own words

_MAIL = """
    clinic.example.jp         MX   10 mx.clinic.example.jp
    mx.clinic.example.jp      A    192.0.2.1
    clinic.example.jp         TXT  "v=spf1 ip4:192.0.2.1 -all"
    _dmarc.clinic.example.jp  TXT  """

ZONES = {
    "open": f'{_MAIL} "v=DMARC1; p=none"',
    "junk": f'{_MAIL} "v=DMARC1; p=quarantine"',
    "closed": f'{_MAIL} "v=DMARC1; p=reject"',
    "below": f'{_MAIL} "v=DMARC1; p=reject; sp=none"',
    "unknown": f"{_MAIL} !timeout",
    "shared": "",
    "no-mail": f'{_MAIL} "v=DMARC1; p=reject"',
}


FOR_VENDORS = ("letters", "questionnaire")
"""Letters go to companies, without readings."""

STORIES = tuple(ZONES)
"""The names of the states."""


@cache
def japanese() -> Mapping[str, tuple[str, ...]]:
    """All our Japanese words by the file that they stand in, without values, code and what is to be copied."""
    places = {
        path.name: list(messages(path).values()) for part, path in catalogues("ja").items() if part not in FOR_VENDORS
    }
    for path in sorted((ROOT / "mailguard" / "guides").glob("**/ja/*.md")):
        if not path.name.startswith("notice-"):
            places[path.name] = [path.read_text("utf-8")]
    data = (
        *(words for group in load_glossary() for term in group.terms for words in (group.title, term.name, term.says)),
        *(claim.says for claim in load_claims().claims.values()),
        *(source.title for source in load_claims().sources.values()),
        *(words for contact in load_contacts() for words in (contact.name, contact.when)),
    )
    places["data"] = [words.ja for words in data]
    return {place: tuple(piece for text in texts for piece in _OURS.split(text)) for place, texts in places.items()}


@cache
def document(story: str) -> Document:
    """The audit of a domain in a state."""
    domain = "ocn.ne.jp" if story == "shared" else "clinic.example.jp"
    said = Expectation(sends=False, receives=False) if story == "no-mail" else None
    return document_of(ZONES[story], domain, said=said)


@cache
def part_of(name: str, story: str, language: str) -> Part | None:
    """One part of the guide of a domain in a state."""
    part: Part | None = import_module(f"mailguard.guidebook.parts.{name}").make(
        case_of(document(story)), Texts(language)
    )
    return part


def parts_for(readers: Collection[Reader], story: str, language: str) -> Iterator[Part]:
    """The parts for any of these readers."""
    for name in PARTS:
        if find_spec(f"mailguard.guidebook.parts.{name}") is not None:
            part = part_of(name, story, language)
            if part is not None and part.readers & frozenset(readers):
                yield part
