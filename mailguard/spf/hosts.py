"""Names that appear in many SPF records and about which there is something to say.

Only what SPF rules need; what providers are and do is told in ``mailguard.providers``.
"""

from __future__ import annotations

from typing import Final

SHARED_SENDERS: Final = (
    "amazonses.com",
    "sendgrid.net",
    "servers.mcsv.net",
    "mailgun.org",
    "bmsend.com",
    "mail.zendesk.com",
    "_spf.salesforce.com",
    "spf.mandrillapp.com",
    "sparkpostmail.com",
    "spf.haihaimail.jp",
    "spf.bmv.jp",
)
"""Bulk senders whose addresses serve all their customers alike."""

RETIRED: Final = {
    "aspmx.googlemail.com": "_spf.google.com",  # Google's instructions until 2010
    # Forefront Online Protection, which Exchange Online Protection replaced in 2013.
    "spf.messaging.microsoft.com": "spf.protection.outlook.com",
    "spf.frontbridge.com": "spf.protection.outlook.com",
}
"""Include names from former days, with their provider's present one."""


def is_shared(target: str) -> bool:
    """Whether an include leads to a shared bulk sender."""
    return any(target == host or target.endswith(f".{host}") for host in SHARED_SENDERS)
