"""Charts in grey print, and for people who see colours otherwise: rows are told apart by hatch and by lightness."""

from __future__ import annotations

import itertools
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


def lightness(colour: str) -> float:
    """Relative luminance (WCAG 2.2): what is left of ``#rrggbb`` in grey print."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_every_row_has_a_hatch_and_a_colour_of_its_own() -> None:
    found = list(hatches().values())
    assert len({colour for colour, _ in found}) == len({strokes for _, strokes in found}) == ROWS


def test_neighbours_differ_in_grey() -> None:
    greys = [lightness(colour) for colour, _ in hatches().values()]
    assert all(abs(one - other) > 0.04 for one, other in itertools.pairwise(greys)), greys
