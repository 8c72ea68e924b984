"""What should hold for one domain: the policy's word, overruled by what the user says about this run."""

from __future__ import annotations

from mailguard.dossier import Expectation, MailingLists
from mailguard.names import DomainName
from mailguard.policy.files import Policy, Wish, over


def expectation_for(policy: Policy, domain: DomainName, said: Expectation | None = None) -> Expectation:
    """The expectation for ``domain``.

    A policy's table for a domain goes before its general one, the table of a longer name before that of a shorter one,
    and ``said`` before all of them where it says something. The house's own aims are no programme that is weighed.
    """
    said = said or Expectation()
    wish = policy.expect
    for name in sorted(policy.domains, key=lambda name: len(name.labels)):
        if domain.is_within(name):
            wish = over(wish, policy.domains[name])
    lists = None if said.mailing_lists is MailingLists.UNSET else said.mailing_lists
    wish = over(wish, Wish(lists, said.sends, said.receives))
    programmes = said.programmes or tuple(one for one in policy.programmes if not one.is_house)
    return Expectation(wish.mailing_lists or MailingLists.UNSET, wish.sends, wish.receives, programmes)
