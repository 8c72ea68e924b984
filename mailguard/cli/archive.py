"""What the database knows of the domains of a run, and a place to keep its audits; or nothing where there is none."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from mailguard.cli.db import DEFAULT_DATABASE, database_place
from mailguard.errors import OperationError
from mailguard.names import DomainName
from mailguard.rules.catalogue import RULES

if TYPE_CHECKING:
    from mailguard.guidebook.case import Document
    from mailguard.providers import Providers
    from mailguard.store import Store
    from mailguard.traffic import Traffic


class Archive:
    """A database that was named, or the one in this folder where there is one. Without any, nothing is known."""

    def __init__(self, store: Store | None) -> None:
        self._store = store

    @classmethod
    def open(cls, options: Mapping[str, Any]) -> Self:
        """The archive of a run. Raises UsageError or OperationError for a database that cannot be opened."""
        named = options["database"] or options["config"]
        if not named and not Path(DEFAULT_DATABASE).exists():
            return cls(None)
        from mailguard.store import open_store

        return cls(open_store(database_place(options["database"], options["config"])))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._store:
            self._store.close()

    @property
    def there(self) -> bool:
        """Whether there is a database."""
        return self._store is not None

    def keep(self, document: Document) -> None:
        """Keep an audit for later comparisons; the same one twice is kept once."""
        if self._store:
            self._store.keep_audit(document)

    def audit_before(self, domain: str, moment: datetime) -> Document | None:
        """The last audit kept before a moment, without findings of rules that this version no longer has."""
        found = self._store.audit_before(domain, moment) if self._store else None
        if found is None:
            return None
        return {**found, "findings": [finding for finding in found["findings"] if finding["rule"] in RULES]}

    def traffic(self, domain: str, until: datetime, days: int, knowledge: Providers) -> Traffic | None:
        """What verified reports show of the last days; None where there is no database or no report."""
        if self._store is None:
            return None
        from mailguard.store.traffic import load_traffic

        last = until.date()
        return load_traffic(self._store, domain, last - timedelta(days=days), last, knowledge)

    def numbering_key(self) -> bytes:
        """What the numbers of clinics without names come from: the database's own key, or one for this run alone.

        Raises OperationError where the database cannot be written to.
        """
        if self._store is None:
            return secrets.token_bytes(16)
        from mailguard.store.numbering import numbering_key
        from mailguard.store.place import db_command

        try:
            return numbering_key(self._store.database, (secrets.randbits(62), secrets.randbits(62)))
        except self._store.database.trouble as error:
            raise OperationError(
                "The database {place} could not be asked ({reason}); try again, then run: {command}",
                place=self._store.place,
                reason=self._store.database.why(error),
                command=db_command("check", self._store.place),
            ) from error

    def selectors(self, domains: Iterable[DomainName], until: datetime, days: int) -> dict[DomainName, tuple[str, ...]]:
        """DKIM selectors that the domains' own mail was signed with, from the reports."""
        if self._store is None:
            return {}
        from mailguard.store.reports import Window

        since = until.date() - timedelta(days=days)
        return {domain: self._store.own_selectors(Window(str(domain), since)) for domain in domains}
