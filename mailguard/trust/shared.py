"""Domains from which others than the operator can write, so that an aligned pass proves less than elsewhere.

Either anybody can have an address there, or services of the operator mail what strangers have written: invitations,
answers to forms, notifications. Reports of these operators come from one address, or from another domain
(``dmarc.yahoo.com``). The addresses are those of real reports. Names below these domains are not meant.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from mailguard.names import DomainName

_ADDRESSES: Final = (
    *(
        "gmail.com",
        "googlemail.com",
        "outlook.com",
        "outlook.jp",
        "hotmail.com",
        "hotmail.co.jp",
        "live.com",
        "live.jp",
    ),
    *("msn.com", "icloud.com", "me.com", "mac.com", "yahoo.com", "yahoo.co.jp", "ymail.com", "ymail.ne.jp", "aol.com"),
    *("aol.jp", "rocketmail.com", "docomo.ne.jp", "mopera.net", "au.com", "ezweb.ne.jp", "uqmobile.jp"),
    *("softbank.ne.jp", "i.softbank.jp", "vodafone.ne.jp", "ymobile.ne.jp", "y-mobile.ne.jp", "rakuten.jp"),
    *("nifty.com", "biglobe.ne.jp", "ocn.ne.jp", "so-net.ne.jp", "excite.co.jp", "goo.jp", "infoseek.jp"),
    *("proton.me", "protonmail.com", "pm.me", "tutanota.com", "gmx.com", "gmx.net", "gmx.de", "web.de", "mail.com"),
    *("t-online.de", "mail.ru", "yandex.ru", "yandex.com", "qq.com", "163.com", "126.com", "yeah.net", "sina.com"),
    *("naver.com", "daum.net", "zoho.com", "fastmail.com", "comcast.net", "att.net", "verizon.net", "orange.fr"),
    *("free.fr", "laposte.net", "libero.it"),
)
"""Of mailboxes for anybody, or for every customer. Nobody reports from these."""

_REPORTERS: Final[Mapping[str, tuple[str, ...]]] = {
    "google.com": ("noreply-dmarc-support@google.com", "noreply-smtp-tls-reporting@google.com"),
    "microsoft.com": ("dmarcreport@microsoft.com", "tlsrpt-noreply@microsoft.com"),
}

_SHARED: Final[Mapping[DomainName, tuple[str, ...]]] = MappingProxyType(
    {**{DomainName(one): () for one in _ADDRESSES}, **{DomainName(one): told for one, told in _REPORTERS.items()}}
)


def may_be_others(domain: DomainName, address: str) -> bool:
    """Whether a mail of this author domain and (lower-case) address may hold what a stranger wrote."""
    return domain in _SHARED and address not in _SHARED[domain]
