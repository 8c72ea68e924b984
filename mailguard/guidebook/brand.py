"""How a consultant's guides look and who they come from: the brand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mailguard.guidebook.blocks import Imprint


@dataclass(frozen=True, slots=True)
class Brand:
    """A brand as it was read from its folder. The default one is plain.

    ``logo`` is a ``data:`` URL. ``templates`` is the folder whose templates come before ours, None for none.
    """

    name: str = ""
    imprints: tuple[tuple[str, Imprint], ...] = ()  # by language
    accent: str = "#1f4e79"
    logo: str = ""
    templates: Path | None = None

    def imprint(self, language: str) -> Imprint:
        """Who sends a guide in a language; empty where the folder does not say."""
        return dict(self.imprints).get(language, Imprint())


PLAIN = Brand()
