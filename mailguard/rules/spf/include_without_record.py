"""An included domain that has no SPF record."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Rule, Severity
from mailguard.rules.spf._select import BadInclude, find_bad_includes
from mailguard.spf.expansion import BranchStatus


class IncludeWithoutRecord(BadInclude):
    """The included name exists but has no SPF record: permerror for everybody whose check gets that far."""

    rule = Rule("SPF014", "include-without-record", Severity.HIGH, cites=("RFC 7208 5.2",))


def check(dossier: Dossier) -> Iterator[IncludeWithoutRecord]:
    """Names that do not exist at all have a rule of their own."""
    statuses = (BranchStatus.EMPTY, BranchStatus.UNUSABLE_NAME)
    return find_bad_includes(dossier, IncludeWithoutRecord, *statuses)
