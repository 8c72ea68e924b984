"""Who does a task, and which recognised companies that is."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from mailguard.guidebook.case import Case
from mailguard.providers import Layer, Provider


class Actor(StrEnum):
    """Who acts. In Japan the last three are often three companies, and sometimes one."""

    HOSPITAL = "hospital"  # somebody in the house
    DNS = "dns"  # the company that enters records: where the name servers are
    MAIL = "mail"  # the company that runs the mailboxes
    WEB = "web"  # the agency that built the website, whose forms send mail


_LAYERS: Final = {
    Actor.HOSPITAL: (),
    Actor.DNS: (Layer.DNS,),
    Actor.MAIL: (Layer.MAILBOX, Layer.OUTBOUND),
    Actor.WEB: (),
}


def companies(case: Case, actor: Actor) -> tuple[Provider, ...]:
    """The companies seen at work in the actor's place. Empty: nobody was recognised, which says nothing."""
    layers = _LAYERS[actor]
    return case.providers(*layers) if layers else ()
