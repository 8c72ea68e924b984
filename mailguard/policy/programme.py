"""How a domain stands against every requirement of the programmes and house aims that were asked for."""

from __future__ import annotations

from collections.abc import Iterable

from mailguard.dossier import Dossier
from mailguard.requirement import Programme
from mailguard.rules.programme.assessment import LOOKS, Row, Status, assess_programme

__all__ = ["CHECKS", "Row", "Status", "assess"]

CHECKS = frozenset(LOOKS)
"""Machine names that a requirement of kind D may give as its ``check``."""


def assess(dossier: Dossier, programmes: Iterable[Programme] | None = None) -> tuple[Row, ...]:
    """A row for each requirement of ``programmes``; without them, of those that the expectation names."""
    wanted = dossier.expectation.programmes if programmes is None else programmes
    return tuple(row for programme in wanted for row in assess_programme(programme, dossier))
