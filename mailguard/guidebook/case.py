"""What is known about one domain when its guide is made, in no language."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

from mailguard.evidence import Evidence
from mailguard.guidebook.blocks import Imprint
from mailguard.guidebook.days import in_japan
from mailguard.providers import Layer, Provider, Providers
from mailguard.traffic import Traffic

Document = dict[str, Any]
"""An audit as the published JSON document (``render/document.py``)."""

USUAL_TIME: Final = timedelta(days=30)
"""Between the guide and the day by which the first tasks should be done."""


@dataclass(frozen=True, slots=True)
class Clinic:
    """Whose domain it is, as the sender of the guide wrote it down; all of it may be empty."""

    name: str = ""
    person: str = ""  # who is in charge there


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """All that the parts of a guide may look at.

    ``document`` is the audit, ``previous`` an earlier one of the same domain, ``traffic`` what verified reports show,
    None where there are none. ``evidence`` is there when the audit was made or replayed just now. ``due`` is the day
    by which the first step is asked for.
    """

    document: Document
    made_at: datetime
    knowledge: Providers = field(default_factory=Providers)
    traffic: Traffic | None = None
    previous: Document | None = None
    evidence: Evidence | None = None
    clinic: Clinic = field(default_factory=Clinic)
    imprint: Imprint = field(default_factory=Imprint)
    due: date | None = None

    @property
    def domain(self) -> str:
        """The audited domain as people write it. A stranger's text."""
        return str(self.document["domain_unicode"])

    @property
    def as_of(self) -> datetime:
        """When DNS was asked."""
        return datetime.fromisoformat(self.document["as_of"])

    @property
    def made_on(self) -> date:
        """The day of the making in Japan, as it stands on the guide."""
        return in_japan(self.made_at)

    @property
    def first_due(self) -> date:
        """``due``, or thirty days from the making."""
        return self.due or self.made_on + USUAL_TIME

    def providers(self, *layers: Layer) -> tuple[Provider, ...]:
        """The recognised providers in one of the layers, in the audit's order."""
        known = {provider.id: provider for provider in self.knowledge.all}
        seen = (one for one in self.document["providers"] if one["role"] in layers and one["id"] in known)
        return tuple(dict.fromkeys(known[one["id"]] for one in seen))
