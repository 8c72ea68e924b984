"""All rules, in the order in which findings are told. One line per rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from mailguard.dossier import Dossier
from mailguard.rules.address import CHECKS as ADDRESS_CHECKS
from mailguard.rules.base import Finding
from mailguard.rules.dkim import CHECKS as DKIM_CHECKS
from mailguard.rules.dmarc import CHECKS as DMARC_CHECKS
from mailguard.rules.programme import CHECKS as PROGRAMME_CHECKS
from mailguard.rules.spf import CHECKS as SPF_CHECKS
from mailguard.rules.zone import CHECKS as ZONE_CHECKS

Check = Callable[[Dossier], Iterator[Finding]]

CHECKS: Final[dict[type[Finding], Check]] = {
    **DMARC_CHECKS,
    **SPF_CHECKS,
    **DKIM_CHECKS,
    **ZONE_CHECKS,
    **ADDRESS_CHECKS,
    **PROGRAMME_CHECKS,
}
"""Finding class to the function that looks for it."""

RULES: Final = {finding.rule.id: finding for finding in CHECKS}
"""Rule id to finding class."""


def find(dossier: Dossier) -> Iterator[Finding]:
    """Every finding about a dossier, in catalogue order."""
    for check in CHECKS.values():
        yield from check(dossier)
