"""QR codes as inline SVG."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Final

_MASK: Final = 3
"""Readers undo any of the eight masks. The standard's choice of the prettiest takes most of the time of a code."""


@lru_cache(maxsize=512)
def qr_svg(text: str) -> str:
    """The code of a text as an ``<svg>`` element with its quiet zone; empty when it does not fit (2953 octets).

    The text becomes dark and light modules only, so nothing in it can be markup.
    """
    import segno

    try:
        code = segno.make(text, error="l", micro=False, boost_error=False, mask=_MASK)
    except (segno.DataOverflowError, UnicodeEncodeError):
        return ""
    out = io.BytesIO()
    code.save(
        out, kind="svg", xmldecl=False, svgns=True, border=4, omitsize=True, svgclass="qr", lineclass=None, nl=False
    )
    return out.getvalue().decode("ascii")
