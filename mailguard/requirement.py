"""What a receiver, or the house itself, asks of a domain: values read from ``policies/*.toml``.

They lie below the dossier, because what was asked for is part of what the rules look at.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from mailguard.providers import Text


class Kind(StrEnum):
    """From what it can be seen whether a requirement is met."""

    DNS = "D"
    MESSAGE = "M"  # from messages or aggregate reports only
    UNSEEN = "N"  # from nothing that mailguard can look at; never "met"


class Strength(StrEnum):
    """What the programme's own words make of it."""

    REQUIRED = "required"
    ADVISED = "advised"


class Standing(StrEnum):
    """How we know what the programme asks."""

    READ = "T"  # read in the programme's own text
    SECOND_HAND = "S"  # read in somebody else's text about it
    UNVERIFIED = "M"  # remembered; told as such or not at all


@dataclass(frozen=True, slots=True)
class Source:
    """A text in which requirements stand, and the day it was read."""

    title: str
    read_on: date
    standing: Standing


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing that is asked for.

    ``check`` names the look at the dossier that decides it; only the kind ``DNS`` has one. ``short`` is the requirement
    in the notation of the standards, the same in every language. ``consequence`` is what the source says happens
    otherwise.
    """

    id: str
    kind: Kind
    strength: Strength
    clause: str
    source: Source
    short: str
    title: Text
    check: str = ""
    consequence: Text | None = None


@dataclass(frozen=True, slots=True)
class Programme:
    """The requirements of one policy file. ``name`` is a proper name; a house policy's own aims have none."""

    id: str
    name: str
    title: Text
    about: Text
    requirements: tuple[Requirement, ...]

    @property
    def is_house(self) -> bool:
        """Whether these are the house's own aims rather than somebody else's programme."""
        return not self.name
