"""An included record that cannot be read."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Rule, Severity
from mailguard.rules.spf._select import BadInclude, find_bad_includes
from mailguard.spf.expansion import BranchStatus


class IncludeWithSyntaxError(BadInclude):
    """The included record has an error in it: permerror for everybody whose check gets that far."""

    rule = Rule("SPF018", "include-with-syntax-error", Severity.HIGH, cites=("RFC 7208 5.2", "RFC 7208 4.6"))


def check(dossier: Dossier) -> Iterator[IncludeWithSyntaxError]:
    """Anywhere in the tree."""
    return find_bad_includes(dossier, IncludeWithSyntaxError, BranchStatus.SYNTAX)
