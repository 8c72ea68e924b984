"""Rules about the zone: MX, unused domains, wildcards. One line per rule, in the order of telling."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding
from mailguard.rules.zone import (
    domain_missing,
    mx_host_missing,
    mx_host_without_address,
    mx_is_address,
    mx_is_alias,
    mx_placeholder,
    mx_unreachable,
    no_mx,
    np_moot_by_denial,
    np_moot_by_wildcard,
    null_mx_but_sends,
    null_mx_preference,
    null_mx_with_others,
    parked_incomplete,
    receive_only,
    receiver_unreachable,
    sender_says_never,
    silent_but_authorises,
    silent_but_signs,
    unexpected_mx,
    unused_unprotected,
    wildcard_dmarc,
    wildcard_spf,
)

CHECKS: Final[dict[type[Finding], Callable[[Dossier], Iterator[Any]]]] = {
    domain_missing.DomainMissing: domain_missing.check,
    sender_says_never.SenderSaysNever: sender_says_never.check,
    receiver_unreachable.ReceiverUnreachable: receiver_unreachable.check,
    null_mx_with_others.NullMxWithOthers: null_mx_with_others.check,
    mx_host_missing.MxHostMissing: mx_host_missing.check,
    mx_host_without_address.MxHostWithoutAddress: mx_host_without_address.check,
    mx_is_address.MxIsAddress: mx_is_address.check,
    mx_unreachable.MxUnreachable: mx_unreachable.check,
    mx_placeholder.MxPlaceholder: mx_placeholder.check,
    null_mx_but_sends.NullMxButSends: null_mx_but_sends.check,
    wildcard_dmarc.WildcardDmarc: wildcard_dmarc.check,
    np_moot_by_wildcard.NpMootByWildcard: np_moot_by_wildcard.check,
    np_moot_by_denial.NpMootByDenial: np_moot_by_denial.check,
    unused_unprotected.UnusedUnprotected: unused_unprotected.check,
    parked_incomplete.ParkedIncomplete: parked_incomplete.check,
    silent_but_signs.SilentButSigns: silent_but_signs.check,
    silent_but_authorises.SilentButAuthorises: silent_but_authorises.check,
    mx_is_alias.MxIsAlias: mx_is_alias.check,
    no_mx.NoMx: no_mx.check,
    null_mx_preference.NullMxPreference: null_mx_preference.check,
    wildcard_spf.WildcardSpf: wildcard_spf.check,
    unexpected_mx.UnexpectedMx: unexpected_mx.check,
    receive_only.ReceiveOnly: receive_only.check,
}
