"""What the Japanese law on specified electronic mail asks of senders, as help: statements with their sources."""

from __future__ import annotations

from typing import Final

from mailguard.guidebook.blocks import Block, Bullets, Heading, Paragraph
from mailguard.guidebook.claims import told
from mailguard.guidebook.texts import Texts

_POINTS: Final = ("what", "consent", "record", "stop", "show", "true")


def law_help(language: str) -> tuple[Block, ...]:
    """The help with its list of sources. No advice of a lawyer, which it says."""
    texts = Texts(language)
    points = tuple((Paragraph(texts(f"mail.law.{point}")),) for point in _POINTS)
    blocks: tuple[Block, ...] = (
        Heading(texts("mail.law.title")),
        Paragraph(texts("mail.law.lead")),
        Paragraph(texts("mail.law.kind")),
        Bullets(points),
    )
    return told(blocks, texts, "mail")
