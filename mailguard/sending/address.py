"""Mail addresses as people write them down."""

from __future__ import annotations

import re
from typing import Final

from mailguard.render.book.mime import is_address
from mailguard.targets import TargetError, parse_target

_DOMAIN: Final = re.compile(r"[\w.\-。．｡]+")


def parse_address(text: str) -> str:
    """An address that can be written to, its domain as DNS has it (A-labels, small letters); empty for anything else.

    The local part has to be ASCII: one in Japanese (RFC 6531) takes servers that few have, all along the way.
    """
    local, _, domain = text.strip().rpartition("@")
    try:
        address = f"{local}@{parse_target(domain).domain}" if _DOMAIN.fullmatch(domain) else ""
    except TargetError:
        return ""
    return address if is_address(address) else ""
