"""Slips of the pen in SPF records, and what was meant where that is beyond doubt.

Characters that only look right, blanks lost or strange, ``ip:`` for ``ip4:``, addresses behind ``a:``. A correction
never drops a sign (``~all`` must not become ``all``) and never leaves a record that cannot be read.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from ipaddress import ip_address
from typing import Final

from mailguard.spf.record import VERSION, Record, format_record, is_spf, parse_record
from mailguard.spf.terms import Broken, Reason, find_seam


def mended(record: Record) -> str | None:
    """The record with every fault corrected whose correction is beyond doubt; ``None`` if one is left."""
    texts: list[str] = [VERSION]
    for term in record.terms:
        if not isinstance(term, Broken):
            texts.append(term.text)
            continue
        text = _MENDERS.get(term.reason, _cannot)(term.text)
        if text is None:
            return None
        texts.append(text)
    again = parse_record(" ".join(texts).encode())
    # One correction can lay open the next fault, as a blank does; twice is enough for all that people write.
    if any(isinstance(old, Broken) and old.reason is new.reason for old in record.faults for new in again.faults):
        return None
    return mended(again) if again.faults else format_record(again.terms)


def _cannot(_: str) -> None:
    return None


_LOOKALIKES: Final = str.maketrans(
    dict.fromkeys("\t\n\r\v\f\u00a0\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B))), " ")
    | dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff\u2018\u2019\u201c\u201d\uff02\uff07", "")
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u30fc\uff0d", "-")
    | dict.fromkeys("\u301c\uff5e\u02dc\u223c", "~")
    | {"\u3002": "."}
)
"""What was meant by characters that only look like the right one. Never lets a sign vanish: ``~all`` must not become
``all``."""


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text.translate(_LOOKALIKES)).strip()


def _a_labels(text: str) -> str | None:
    import idna

    head, mark, host = text.partition(":")
    try:
        return f"{head}{mark}{idna.encode(host, uts46=True).decode('ascii')}" if mark else None
    except (idna.IDNAError, UnicodeError):
        return None


def separate(text: str) -> str | None:
    """Terms grown together, with blanks between; ``None`` where there is no such place."""
    seam = find_seam(text)
    if not seam:
        return None
    rest = text[seam:]
    return f"{text[:seam]} {separate(rest) or rest}"


def _as_network(text: str) -> str | None:
    """An address behind any mechanism becomes ip4 or ip6, with its sign and prefix."""
    match = re.fullmatch(r"([+?~-]?)[a-zA-Z0-9_-]+:([0-9a-fA-F.:]+)(/[0-9]+)?", text)
    try:
        address = ip_address(match[2]) if match else None
    except ValueError:
        return None
    return f"{match[1]}ip{address.version}:{address}{match[3] or ''}" if match and address else None


def _known_slip(text: str) -> str | None:
    """Mechanism names that people write for ip4, ip6 and include."""
    if re.match(r"[+?~-]?(?:ip|ipv4|ipv6|ip4v|ip6v|ip_4|ip-4)[:]", text, re.IGNORECASE):
        return _as_network(text)
    fixed = re.sub(
        r"^([+?~-]?)(?:inlcude|inculde|incldue|includes|includ|inclued|incude):", r"\1include:", text, flags=re.I
    )
    return fixed if fixed != text else None


_MENDERS: Final[dict[Reason, Callable[[str], str | None]]] = {
    Reason.TAB: _plain,
    Reason.CONTROL: _plain,
    Reason.OTHER_BLANK: _plain,
    Reason.SMART_QUOTE: _plain,
    Reason.DASH: _plain,
    Reason.FULL_WIDTH: _plain,
    Reason.U_LABEL: _a_labels,
    Reason.QUOTE: lambda text: text.replace('"', ""),
    Reason.BACKSLASH: lambda text: text.replace("\\", ""),
    Reason.MISSING_BLANK: separate,
    Reason.COLON_AFTER_MODIFIER: lambda text: text.replace(":", "=", 1),
    Reason.QUALIFIED_MODIFIER: lambda text: text[1:],
    Reason.STRAY_PUNCTUATION: lambda text: text.rstrip(",;"),
    Reason.ADDRESS_FOR_NAME: _as_network,
    Reason.WRONG_FAMILY: _as_network,
    Reason.UNKNOWN_MECHANISM: _known_slip,
}


def revived(text: bytes) -> str | None:
    """A text that meant to be a record, as a record; ``None`` where its beginning leaves room for doubt."""
    plain = _plain(text.decode("utf-8", "replace")).strip(" \"'\\")
    plain = re.sub(r"^v\s*=\s*spf1(?:\s*[;,:]\s*|\s+|$)", "v=spf1 ", plain, flags=re.IGNORECASE).strip()
    glued = re.sub(r"^v=spf1(?=(?:include|ip4|ip6|a|mx|exists):|[-~?+]all)", "v=spf1 ", plain, flags=re.IGNORECASE)
    if not is_spf(glued.encode()):
        return None
    record = parse_record(glued.encode())
    return mended(record) if record.terms else None
