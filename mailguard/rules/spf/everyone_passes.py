"""At least half of all addresses pass, without a ``+all`` in the domain's own record."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.spf._select import MAX_SHOWN, apex, rests_on, valid, visible
from mailguard.spf.expansion import Branch
from mailguard.spf.space import Space
from mailguard.spf.survey import Strangers
from mailguard.spf.terms import Directive, Qualifier
from mailguard.spf.verdict import SpfVerdict


class EveryonePasses(Finding):
    """Through an include, a redirect or very wide networks, strangers pass."""

    rule = Rule("SPF012", "everyone-passes", Severity.CRITICAL, cites=("RFC 7208 5.2", "RFC 7208 5.6"))
    terms: tuple[str, ...]  # the domain's own terms that let most addresses pass, widest first


def check(dossier: Dossier) -> Iterator[EveryonePasses]:
    """Adds up what every term lets pass, in the order of evaluation, over the whole tree.

    Terms that depend on the message are judged by a stranger's address that was put through them.
    """
    spf = valid(dossier)
    if spf is None or spf.record is None or spf.strangers_can_pass is not Strangers.YES:
        return
    if spf.record.all and spf.record.all.qualifier is Qualifier.PASS:
        return
    if spf.sample and not spf.everyone_passes:
        yield EveryonePasses(at=spf.domain, seen_in=apex(spf), terms=(visible(_first_match(spf.sample)),))
        return
    walk = spf.reach4 if spf.reach4.passes.is_most else spf.reach6
    sized = sorted(((_size(branch, space), branch) for branch, space in walk.passing), key=lambda item: -item[0])
    total = walk.passes.size
    # Those that matter: at least one part in 128 of what passes.
    wide = [branch for size, branch in sized if size * 128 >= total]
    yield EveryonePasses(
        at=spf.domain,
        seen_in=rests_on(spf, *wide),
        terms=tuple(visible(branch.term.text) for branch in wide[:MAX_SHOWN]),
    )


def _size(branch: Branch, added: Space) -> int:
    """How many addresses a term stands for; ``added`` may be shared with the networks beside it."""
    network = branch.term.network if isinstance(branch.term, Directive) else None
    return network.num_addresses if network is not None else added.size


def _first_match(sample: SpfVerdict) -> str:
    """The term of the domain's own record that let the stranger pass."""
    return next((step.term for step in sample.trace if step.depth == 0 and step.matched), sample.term)
