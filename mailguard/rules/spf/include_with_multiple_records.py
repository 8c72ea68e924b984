"""An included domain that has several SPF records."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Rule, Severity
from mailguard.rules.spf._select import BadInclude, find_bad_includes
from mailguard.spf.expansion import BranchStatus


class IncludeWithMultipleRecords(BadInclude):
    """The included domain publishes several SPF records, so receivers can use none of them."""

    rule = Rule("SPF017", "include-with-multiple-records", Severity.HIGH, cites=("RFC 7208 5.2", "RFC 7208 4.5"))


def check(dossier: Dossier) -> Iterator[IncludeWithMultipleRecords]:
    """Anywhere in the tree."""
    return find_bad_includes(dossier, IncludeWithMultipleRecords, BranchStatus.MULTIPLE)
