"""Rules about whose domain it is and whether the mail service that is used fits the records. One line per rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from mailguard.dossier import Dossier
from mailguard.rules.address import (
    initial_domain,
    mailbox_not_in_spf,
    provider_default_dmarc,
    record_of_local_government,
    shared_mail_domain,
    signed_by_provider,
)
from mailguard.rules.base import Finding

CHECKS: Final[dict[type[Finding], Callable[[Dossier], Iterator[Any]]]] = {
    mailbox_not_in_spf.MailboxNotInSpf: mailbox_not_in_spf.check,
    shared_mail_domain.SharedMailDomain: shared_mail_domain.check,
    initial_domain.InitialDomain: initial_domain.check,
    signed_by_provider.SignedByProvider: signed_by_provider.check,
    provider_default_dmarc.ProviderDefaultDmarc: provider_default_dmarc.check,
    record_of_local_government.RecordOfLocalGovernment: record_of_local_government.check,
}
