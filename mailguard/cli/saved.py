"""Audits in a file, as ``mailguard audit --format json|ndjson`` writes them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from mailguard.errors import UsageError, system_reason
from mailguard.render.fitting import fits, load_schema
from mailguard.rules.catalogue import RULES

Document = dict[str, Any]

_DOMAIN: Final = re.compile(r"(?!\.)[a-z0-9._-]{1,253}")

_YEARS: Final = range(2000, 3000)  # at the ends of the calendar there is no day after, and no other time zone

MAX_BYTES: Final = 2**30
"""Most of a file that is read; a thousand audits are some 30 MB."""


def read_audits(path: Path) -> list[Document]:
    """The audits in a file, of each domain the latest. Raises UsageError for anything else."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        told = "{file} cannot be read ({reason}); check the path."
        raise UsageError(told, file=path, reason=system_reason(error)) from error
    latest: dict[str, Document] = {}
    try:
        for document in map(_checked, _split(content)):
            known = latest.setdefault(document["domain"], document)
            if _moment(known) < _moment(document):
                latest[document["domain"]] = document
        if not latest:
            raise ValueError("an empty list")
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        told = "{file} holds no audits; make it with: mailguard audit --format json -o FILE DOMAIN"
        raise UsageError(told, file=path) from error
    return list(latest.values())


def _split(content: bytes) -> Iterator[Any]:
    if content.lstrip()[:1] == b"[":
        yield from json.loads(content)
    elif b"\n{" in content.strip():
        yield from map(json.loads, content.splitlines())
    else:
        yield json.loads(content)


def _checked(document: Any) -> Document:
    """A document as it came, if it is one. Its domain will be the name of a file, so it has to be one in DNS."""
    if not fits(document, load_schema("audit-1")) or not _DOMAIN.fullmatch(document["domain"]):
        raise ValueError("no audit")
    unknown = {finding["rule"] for finding in document["findings"]} - RULES.keys()
    if unknown:
        told = "The audit of {domain} has the finding {rule}, which this version does not know; audit the domain again."
        raise UsageError(told, domain=document["domain"], rule=min(unknown))
    _moment(document)
    return dict(document)


def _moment(document: Document) -> datetime:
    moment = datetime.fromisoformat(document["as_of"])
    if moment.tzinfo is None or moment.year not in _YEARS:
        raise ValueError("a moment without a time zone, or of no audit")
    return moment
