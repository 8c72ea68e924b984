"""Rules about SPF: see the package above for what a rule is. One line per rule, in the order of telling."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding

CHECKS: Final[dict[type[Finding], Callable[[Dossier], Iterator[Any]]]] = {
    # module.FindingClass: module.check,
}
