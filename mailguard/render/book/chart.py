"""Charts of stacked bars as SVG, drawn from numbers alone.

A row of numbers is told apart by colour and by hatch, from the set of Okabe and Ito, so that grey print and every kind
of colour vision do; its name stands beside the last bar, not in a legend that has to be searched. Whatever is drawn
stands as a number in the table beside the chart.

A bar of which nothing was told is no bar of height zero: its place is shaded, and a key says what that means.

Sizes are in the SVG's own units, of which a page is 680 wide. A text's width is estimated, full-width letters as one
and others as 0.62 of the size: there is no font here to measure with.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import accumulate, groupby
from math import ceil, log10
from typing import Final
from unicodedata import east_asian_width

from mailguard.guidebook.blocks import Chart, Rich, Series, plain
from mailguard.render.safe import visible

WIDTH: Final = 680
_TEXT: Final = 12.0
_INK: Final = "#1a1a1a"
_LINE: Final = "#d0d0d0"
_FONTS: Final = "BIZ UDPGothic, IPAexGothic, Hiragino Sans, Yu Gothic, Meiryo, Noto Sans CJK JP, VL PGothic, sans-serif"
_MOST_TEXT: Final = 28  # characters of a label; the table has the whole
_MOST_BARS: Final = 120
_SHADE: Final = "#e8e8e8"
_MOST_ROWS: Final = 40  # of a chart with lying bars; the table has the rest

_HATCHES: Final = (
    ("#0072b2", ""),
    ("#e69f00", "M-2 2 2 -2M0 8 8 0M6 10 10 6"),
    ("#d55e00", "M0 0 8 8M8 0 0 8"),
    ("#56b4e9", "M0 4h8"),
    ("#009e73", "M4 0v8"),
    ("#999999", "M2 1.5v1M6 5.5v1"),
)
"""Colour and the strokes upon it, by ``Series.pattern``."""


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where the bars stand, and how many units of length a message is."""

    left: float
    top: float
    width: float
    height: float
    scale: float


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of numbers as it is drawn: nothing below zero, and zero where there is no bar."""

    label: Rich
    values: tuple[int, ...]
    pattern: int


def chart_svg(chart: Chart, language: str, *, font: str = "") -> str:
    """The chart as a whole SVG document, without anything that runs or is fetched. ``font`` is a family before ours."""
    fonts = escape(f"{visible(font)}, {_FONTS}" if font else _FONTS)
    height, shapes = _lying(chart) if chart.horizontal else _standing(chart)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" width="{WIDTH}" '
        f'height="{height:g}" font-family="{fonts}" font-size="{_TEXT:g}" fill="{_INK}" xml:lang="{escape(language)}">'
        f"<title>{escape(visible(plain(chart.title)))}</title><defs>{''.join(_patterns(chart.series))}</defs>"
        f"{''.join(shapes)}</svg>"
    )


def data_url(svg: str) -> str:
    """An SVG as the address of a picture: as such it cannot run anything, whatever it holds."""
    return "data:image/svg+xml;base64," + b64encode(svg.encode()).decode("ascii")


def _standing(chart: Chart) -> tuple[float, list[str]]:
    """Bars beside each other, from left to right in time."""
    labels = chart.labels[-_MOST_BARS:]
    gaps = _gaps(chart.series, slice(-len(labels), None) if labels else slice(0))
    series = [_last(row, len(labels)) for row in chart.series]
    ticks = _ticks(max(_totals(series), default=0))
    margin = 14 + max(_width(f"{tick:,}") for tick in ticks)
    names = max((_width(_short(plain(row.label))) for row in series), default=0.0) + 34
    above = 38 if any(gaps) else 16
    frame = _Frame(margin, above, WIDTH - margin - names, 200, 200 / ticks[-1])
    step = frame.width / max(len(labels), 1)
    shapes = [*_shades(frame, gaps, step, chart.gap), *_standing_grid(frame, ticks)]
    shapes += [*_standing_bars(frame, series, step), *_names(frame, series, step)]
    return above + 232, [*shapes, *_standing_labels(frame, labels, step)]


def _shades(frame: _Frame, gaps: Sequence[bool], step: float, name: Rich) -> Iterator[str]:
    """The places without a bar, each run of them in one shade, and the key to them."""
    start = 0
    for is_gap, run in groupby(gaps):
        length = len(list(run))
        if is_gap:
            yield _shade(frame.left + start * step, frame.top, length * step, frame.height)
        start += length
    if any(gaps):
        yield _shade(frame.left, 5, 12, 12)
        yield _text(frame.left + 18, 15, _short(plain(name)))


def _standing_grid(frame: _Frame, ticks: Sequence[int]) -> Iterator[str]:
    for tick in ticks:
        y = frame.top + frame.height - tick * frame.scale
        yield _line(frame.left, y, frame.left + frame.width, y, _INK if tick == 0 else _LINE)
        yield _text(frame.left - 6, y + 4, f"{tick:,}", "end")


def _standing_bars(frame: _Frame, series: Sequence[_Row], step: float) -> Iterator[str]:
    wide = min(0.72 * step, 44)
    for number, values in enumerate(zip(*(row.values for row in series), strict=True)):
        x = frame.left + step * (number + 0.5) - wide / 2
        for row, value, upto in zip(series, values, accumulate(values), strict=True):
            y = frame.top + frame.height - upto * frame.scale
            yield _bar(x, y, wide, value * frame.scale, row.pattern)


def _names(frame: _Frame, series: Sequence[_Row], step: float) -> Iterator[str]:
    """Each row's name to the right of the last bar, beside its part of it, pushed apart where parts are thin."""
    if not series or not series[0].values:
        return
    right, bottom = frame.left + frame.width, frame.top + frame.height
    ends = accumulate(row.values[-1] for row in series)
    middles = [bottom - (end - row.values[-1] / 2) * frame.scale for end, row in zip(ends, series, strict=True)]
    for row, middle, y in zip(series, middles, _apart(middles, bottom), strict=True):
        x = right - step / 2 + min(0.36 * step, 22)
        yield f'<path d="M{x + 2:g} {middle:g}L{right + 8:g} {y:g}" stroke="{_INK}" stroke-width=".6" fill="none"/>'
        yield _bar(right + 10, y - 6, 12, 12, row.pattern)
        yield _text(right + 27, y + 4, _short(plain(row.label)))


def _apart(middles: Sequence[float], bottom: float) -> list[float]:
    """Places from the bottom up, each at least a line above the one before."""
    placed: list[float] = []
    for middle in middles:
        placed.append(min(middle, placed[-1] - 18 if placed else bottom - 7))
    return placed


def _standing_labels(frame: _Frame, labels: Sequence[str], step: float) -> Iterator[str]:
    """As many as have room."""
    every = ceil((max((_width(_short(label)) for label in labels), default=0.0) + 8) / step)
    for number in range((len(labels) - 1) % every if labels else 0, len(labels), every):
        yield _text(frame.left + step * (number + 0.5), frame.top + frame.height + 18, _short(labels[number]), "middle")


def _lying(chart: Chart) -> tuple[float, list[str]]:
    """Bars below each other, for things that have names."""
    labels = [_short(label) for label in chart.labels[:_MOST_ROWS]]
    gaps = _gaps(chart.series, slice(_MOST_ROWS))
    series = [_Row(row.label, _counts(row.values[:_MOST_ROWS]), row.pattern) for row in chart.series]
    totals = _totals(series)
    margin = max(map(_width, labels), default=0.0) + 10
    room = WIDTH - margin - max((_width(f"{total:,}") for total in totals), default=0.0) - 14
    frame = _Frame(margin, 34, room, 28.0 * len(labels), room / max(*totals, 1, 1))
    shapes = [*_key(series), *_lying_bars(frame, series)]
    for number, (label, total) in enumerate(zip(labels, totals, strict=True)):
        y = frame.top + 28 * number + 17
        shapes += [_text(frame.left - 8, y, label, "end")]
        told = _short(plain(chart.gap)) if any(gaps[number : number + 1]) else f"{total:,}"
        shapes += [_text(frame.left + total * frame.scale + 6, y, told)]
    shapes.append(_line(frame.left, frame.top - 2, frame.left, frame.top + frame.height, _INK))
    return frame.top + frame.height + 8, shapes


def _lying_bars(frame: _Frame, series: Sequence[_Row]) -> Iterator[str]:
    for number, values in enumerate(zip(*(row.values for row in series), strict=True)):
        for row, value, upto in zip(series, values, accumulate(values), strict=True):
            x = frame.left + (upto - value) * frame.scale
            yield _bar(x, frame.top + 28 * number + 3, value * frame.scale, 20, row.pattern)


def _key(series: Sequence[_Row]) -> Iterator[str]:
    x = 0.0
    for row in series:
        label = _short(plain(row.label))
        yield _bar(x + 1, 5, 12, 12, row.pattern)
        yield _text(x + 18, 15, label)
        x += _width(label) + 36


def _patterns(series: Sequence[Series]) -> Iterator[str]:
    for pattern in sorted({row.pattern % len(_HATCHES) for row in series}):
        colour, strokes = _HATCHES[pattern]
        if strokes:
            yield (
                f'<pattern id="p{pattern}" width="8" height="8" patternUnits="userSpaceOnUse">'
                f'<path d="M0 0h8v8h-8z" fill="{colour}"/><path d="{strokes}" stroke="#fff" stroke-width="1.6"/>'
                "</pattern>"
            )


def _bar(x: float, y: float, width: float, height: float, pattern: int) -> str:
    if min(width, height) <= 0:
        return ""
    colour, strokes = _HATCHES[pattern % len(_HATCHES)]
    fill = f"url(#p{pattern % len(_HATCHES)})" if strokes else colour
    return (
        f'<rect x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}" fill="{fill}" '
        f'stroke="{_INK}" stroke-width=".5"/>'
    )


def _shade(x: float, y: float, width: float, height: float) -> str:
    path = f"M{x:.2f} {y:.2f}h{width:.2f}v{height:.2f}h{-width:.2f}z"
    return f'<path d="{path}" fill="{_SHADE}" stroke="{_INK}" stroke-width=".5" stroke-dasharray="2 3"/>'


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f'<path d="M{x1:.2f} {y1:.2f}L{x2:.2f} {y2:.2f}" stroke="{colour}" fill="none"/>'


def _text(x: float, y: float, text: str, place: str = "start") -> str:
    return f'<text x="{x:.2f}" y="{y:.2f}" text-anchor="{place}">{escape(visible(text))}</text>'


def _short(text: str) -> str:
    shown = visible(text)
    return shown if len(shown) <= _MOST_TEXT else shown[: _MOST_TEXT - 1] + "…"


def _width(text: str) -> float:
    return sum(_TEXT if east_asian_width(char) in "FWA" else 0.62 * _TEXT for char in text)


def _counts(values: Sequence[int | None]) -> tuple[int, ...]:
    return tuple(max(value or 0, 0) for value in values)


def _gaps(series: Sequence[Series], part: slice) -> list[bool]:
    """For each bar, whether no row has a value for it."""
    return [
        all(value is None for value in values) for values in zip(*(row.values[part] for row in series), strict=True)
    ]


def _last(row: Series, count: int) -> _Row:
    return _Row(row.label, _counts(row.values[-count:] if count else ()), row.pattern)


def _totals(series: Sequence[_Row]) -> list[int]:
    return [sum(values) for values in zip(*(row.values for row in series), strict=True)]


def _ticks(most: int) -> list[int]:
    """0 and up to five round numbers, the last not below ``most``."""
    if most <= 0:
        return [0, 1]
    power = 10 ** max(int(log10(most)) - 1, 0)
    size = next(power * factor for factor in (1, 2, 5, 10, 20, 50, 100) if 5 * power * factor >= most)
    return [size * number for number in range(ceil(most / size) + 1)]
