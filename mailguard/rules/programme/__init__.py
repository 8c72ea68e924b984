"""Rules about what large receivers ask of senders; silent unless somebody asked for a programme to be weighed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding
from mailguard.rules.programme import advice_unmet, requirement_unmet, requirement_unmet_second_hand

CHECKS: Final[dict[type[Finding], Callable[[Dossier], Iterator[Any]]]] = {
    requirement_unmet.RequirementUnmet: requirement_unmet.check,
    requirement_unmet_second_hand.RequirementUnmetSecondHand: requirement_unmet_second_hand.check,
    advice_unmet.AdviceUnmet: advice_unmet.check,
}
