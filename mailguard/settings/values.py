"""Everything that a settings file can say."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from mailguard.feedback.limits import DEFAULT_LIMITS
from mailguard.ingest.settings import ListenerSettings
from mailguard.names import DomainName
from mailguard.sources.secret import Secret
from mailguard.sources.settings import MailboxSettings


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """Where reports are stored: ``url`` is a path or a URL; or it lies where ``secret`` says, since a URL may hold a
    password."""

    url: str = "mailguard.db"
    secret: Secret | None = None

    def place(self) -> str:
        """The path or URL. Raises UsageError when the secret cannot be read."""
        return self.secret.read() if self.secret else self.url


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address and a port to listen on."""

    host: str
    port: int

    def __str__(self) -> str:
        """As it is written in the file."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class TokenSettings:
    """Report addresses that nobody can guess, one for each of our domains: ``PREFIX`` + token + ``@HOST``."""

    secret: Secret
    host: str
    prefix: str = "dmarc+"
    old_secrets: tuple[Secret, ...] = ()


@dataclass(frozen=True, slots=True)
class ReceivingSettings:
    """The SMTP listener. ``endpoints``: none where systemd hands the sockets over. ``tls``: certificate and key."""

    endpoints: tuple[Endpoint, ...]
    listener: ListenerSettings
    tokens: TokenSettings | None = None
    tls: tuple[Path, Path] | None = None


@dataclass(frozen=True, slots=True)
class TrustSettings:
    """Whom to believe. ``domains`` are ours, ``pending`` not confirmed yet; ``authserv_ids`` name mail servers whose
    Authentication-Results count in fetched mails; with ``check`` false nobody is asked who sent a mail. ``reporters``
    are pairs of a name and a domain that the operator vouches for (``trust.reporter.Registry``)."""

    domains: tuple[DomainName, ...] = ()
    pending: tuple[DomainName, ...] = ()
    authserv_ids: tuple[str, ...] = ()
    nameservers: tuple[str, ...] = ()
    check: bool = True
    reporters: tuple[tuple[str, DomainName], ...] = ()


@dataclass(frozen=True, slots=True)
class WorkSettings:
    """How mails are read: ``processes`` at a time, each mail for at most ``mail_s`` seconds and ``memory_mib`` MiB."""

    processes: int = 2
    mail_s: int = 10
    memory_mib: int = 200


@dataclass(frozen=True, slots=True)
class ReportsSettings:
    """Which kinds of reports are read beside aggregate and TLS reports. ``failure``: failure reports, of which only the
    fields that are needed are kept; they can hold mail of patients, so they are not read unless somebody decides so."""

    failure: bool = False


@dataclass(frozen=True, slots=True)
class RetentionSettings:
    """How many days each kind of data is kept (``store.upkeep.Kind``), and mails in quarantine; 0 means for ever.

    What anybody can send is bounded in MiB; 0 means no bound: mails in quarantine, stored mails without a report, the
    raw mails of reports that are not verified, and those reports themselves (``store.upkeep_bounds.Holding``).
    """

    raw_days: int = 90
    records_days: int = 730
    unverified_days: int = 365
    sums_days: int = 0
    tls_days: int = 730
    failures_days: int = 30
    mailbox_days: int = 365
    audits_days: int = 1_095
    quarantine_days: int = 90
    quarantine_mib: int = 1_024
    reportless_mib: int = 1_024
    unverified_raw_mib: int = 1_024
    unverified_mib: int = 1_024


@dataclass(frozen=True, slots=True)
class Settings:
    """A whole settings file. ``spool`` holds mails from their arrival until they are stored."""

    file: str
    database: DatabaseSettings = field(default_factory=DatabaseSettings)
    spool: Path = Path("mailguard-spool")
    spool_free_mib: int = 256
    spool_waiting_mib: int = 2048
    listener: ReceivingSettings | None = None
    mailboxes: tuple[MailboxSettings, ...] = ()
    trust: TrustSettings = field(default_factory=TrustSettings)
    work: WorkSettings = field(default_factory=WorkSettings)
    retention: RetentionSettings = field(default_factory=RetentionSettings)
    reports: ReportsSettings = field(default_factory=ReportsSettings)

    @property
    def mail_bytes(self) -> int:
        """The largest mail that any way in lets through, and never less than what is read of a file."""
        by_smtp = self.listener.listener.mail_bytes if self.listener else 0
        return max(DEFAULT_LIMITS.mail_bytes, by_smtp, *(box.mail_bytes for box in self.mailboxes))
