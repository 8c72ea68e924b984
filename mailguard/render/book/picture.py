"""Charts as PNG, for mail programs that show no SVG."""

from __future__ import annotations

from typing import Final

from mailguard.guidebook.blocks import Chart
from mailguard.render.book.chart import chart_svg
from mailguard.render.book.fonts import Font, find_font

ZOOM: Final = 2.0
"""Pixels for each of the chart's own units: 1360 wide, sharp on screens with twice the density."""


def chart_png(chart: Chart, language: str, *, font: Font | None = None) -> bytes:
    """The chart on white. The same chart gives the same bytes with the same fonts.

    Raises OperationError when no font on this machine can show Japanese.
    """
    from resvg_py import svg_to_bytes

    drawn = font or find_font()
    svg = chart_svg(chart, language, font=drawn.family)
    files = [str(drawn.file)] if drawn.file else None
    return bytes(svg_to_bytes(svg_string=svg, background="#ffffff", zoom=ZOOM, font_files=files))
