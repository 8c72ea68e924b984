"""An address where a host name belongs: ``a:192.0.2.1``."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Rule, Severity
from mailguard.rules.spf._select import FaultyTerms, find_faults
from mailguard.spf.terms import Reason


class AddressAsName(FaultyTerms):
    """Addresses are written with ``ip4:`` or ``ip6:``; behind ``a:`` receivers cannot read them."""

    rule = Rule("SPF045", "address-as-name", Severity.HIGH, cites=("RFC 7208 5.3", "RFC 7208 12"))


def check(dossier: Dossier) -> Iterator[AddressAsName]:
    """The domain's own record only."""
    return find_faults(dossier, AddressAsName, lambda reason: reason is Reason.ADDRESS_FOR_NAME)
