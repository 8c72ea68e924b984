"""Public keys whose private halves are printed in standards, so that everybody can sign with them."""

from __future__ import annotations

from base64 import b64decode
from typing import Final

_RFC_6376_BRISBANE: Final = (
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYtIxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq"
    "631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB"
)
_RFC_8463_ED25519: Final = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

KNOWN_KEYS: Final = frozenset(map(b64decode, (_RFC_6376_BRISBANE, _RFC_8463_ED25519)))
"""The keys of the examples in RFC 6376 appendix C and RFC 8463 appendix A."""
