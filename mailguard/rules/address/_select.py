"""Picking recognised providers, for the rules of this area."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.inquiry import Question, answered
from mailguard.providers import Layer, Provider, Role


def owner(dossier: Dossier, *roles: Role) -> Provider | None:
    """The provider to whom the domain belongs, if its role is one of these."""
    found = (one.provider for one in dossier.survey.providers if one.layer is Layer.OWNER)
    return next((provider for provider in found if provider.role in roles), None)


def in_layers(dossier: Dossier, *layers: Layer) -> Iterator[Provider]:
    """Providers seen in any of these layers, each once."""
    found = (one.provider for one in dossier.survey.providers if one.layer in layers)
    yield from dict.fromkeys(found)


def never_sends(dossier: Dossier) -> bool:
    """Somebody said that the domain does not send, or its SPF record says just that (RFC 7208 section 10.1.2)."""
    text = dossier.survey.spf.text or ""
    return dossier.expectation.sends is False or text.lower().split() == ["v=spf1", "-all"]


def what_its_owner_publishes(dossier: Dossier) -> tuple[Question, ...]:
    """The questions whose answers are the owner's records, not the customer's."""
    return answered(dossier.survey.zone.txt, dossier.survey.dmarc.txt)
