"""Whom a hospital tells when something happens, in which order: ``policies/guide/contacts.toml``.

No telephone number is among the data. None could be confirmed, and a wrong one costs time when there is least of it.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from typing import Any

from mailguard.providers import Layer, Text
from mailguard.resources import policies


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody to tell. ``claim`` is the statement that says so, ``layer`` what a provider seen in DNS does for us."""

    id: str
    name: Text
    when: Text
    claim: str = ""
    layer: Layer | None = None


@cache
def load_contacts() -> tuple[Contact, ...]:
    """The contacts that come with mailguard, first to last, read once."""
    return parse_contacts((policies() / "guide" / "contacts.toml").read_text("utf-8"))


def parse_contacts(text: str) -> tuple[Contact, ...]:
    """The contacts of a file. Raises KeyError, TypeError or ValueError for one that is not whole."""
    return tuple(_contact(contact) for contact in tomllib.loads(text)["contact"])


def _contact(data: dict[str, Any]) -> Contact:
    layer = Layer(data["layer"]) if "layer" in data else None
    return Contact(data["id"], Text(**data["name"]), Text(**data["when"]), data.get("claim", ""), layer)
