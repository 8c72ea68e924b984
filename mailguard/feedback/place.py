"""What the name of a report's file tells, for reports that do not tell it themselves."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from mailguard.names import name

# RFC 9990 3.5.2: receiver "!" policy-domain "!" begin "!" end ["!" unique-id] "." ("xml" / "xml.gz")
_NAME: Final = re.compile(r"!([A-Za-z0-9._-]{1,255})!([0-9]{9,10})!([0-9]{9,10})(?=[!.]|$)")


@dataclass(frozen=True, slots=True)
class NameFacts:
    """Policy domain and range (POSIX seconds); empty and ``None`` where the name has another form."""

    domain: str = ""
    begin: int | None = None
    end: int | None = None


def facts_of_name(place: str) -> NameFacts:
    """What the last file name in ``place`` tells."""
    found = _NAME.search(place, max(0, place.rfind(": ")))
    if not found:
        return NameFacts()
    return NameFacts(str(name(found[1])), int(found[2]), int(found[3]))
