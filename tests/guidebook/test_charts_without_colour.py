"""Charts in grey print, and for people who see colours otherwise: each row has a hatch of its own."""

from __future__ import annotations

import re

from mailguard.guidebook.blocks import Chart, Series, Span, Table
from mailguard.render.book.chart import chart_svg

ROWS = 6


def drawn() -> str:
    """A chart with a row of every kind, one above the other in a single bar."""
    series = tuple(Series((Span(f"row {n}"),), (10,), pattern=n) for n in range(ROWS))
    return chart_svg(Chart((Span("all"),), (Span("all"),), ("a day",), series, Table((), ())), "en")


def hatches() -> dict[str, tuple[str, str]]:
    """What bars are filled with, in their order: the ground's colour, and the strokes upon it."""
    svg = drawn()
    patterns = dict(re.findall(r'<pattern id="([^"]*)"(.*?)</pattern>', svg))
    fills = dict.fromkeys(
        re.findall(r'<(?:rect|path)[^>]*? fill="(url\(#p\d\)|#[0-9a-f]{6})"', svg.partition("</defs>")[2])
    )
    found = {}
    for fill in fills:
        grounds = re.findall(r'fill="(#[0-9a-f]{6})"', patterns.get(fill[5:-1], f'fill="{fill}"'))
        strokes = re.findall(r'<path d="([^"]*)" stroke', patterns.get(fill[5:-1], ""))
        found[fill] = grounds[0], "".join(strokes)
    return {fill: hatch for fill, hatch in found.items() if hatch[0] not in ("#1a1a1a", "#d0d0d0", "#e8e8e8")}


def test_every_row_has_a_hatch_and_a_colour_of_its_own() -> None:
    """Any two rows can be neighbours, and not every two colours differ in grey: the hatch has to tell them apart."""
    found = list(hatches().values())
    assert len({colour for colour, _ in found}) == len({strokes for _, strokes in found}) == ROWS
