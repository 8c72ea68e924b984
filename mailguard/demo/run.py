"""The story of the demonstration, from the name server to the guide."""

from __future__ import annotations

import json
import smtplib
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from mailguard.audit import Plan, audit_domain
from mailguard.demo.dns_server import DnsServer, load_zones
from mailguard.demo.guide import Traffic, render_guide
from mailguard.demo.send import DOMAIN, RECIPIENT, build_mails, send_mails
from mailguard.demo.words import WORDS
from mailguard.errors import OperationError
from mailguard.ingest.deliver import into_store
from mailguard.ingest.listener import Listener, ListenerSettings
from mailguard.names import name
from mailguard.policy.shelf import DEFAULT, load_policy, load_providers
from mailguard.render.document import to_document
from mailguard.resolver import NameServer, Resolver, ResolverSettings
from mailguard.store import open_reader
from mailguard.store.reports import Window
from mailguard.store.writer import Writer
from mailguard.trust.grade import Grade

HOSPITALS: Final = (
    "aozora-clinic.example",
    "midori-iin.example",
    "hinata-hp.example",
    "chuo-hp.example",
    "kyu-chuo-hp.example",
    "byoin.city-minato.example",
    "kita-hp.example",
)
"""The fictional hospitals; what each is like stands at the top of its zone file."""

WINDOW_DAYS: Final = 7

Say = Callable[[str], object]
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What the demonstration left behind. ``messages`` are those that the stored reports tell about."""

    guide: Path
    audits: Path
    database: Path
    mails: int
    messages: int


async def run_demo(output: Path, language: str, say: Say, *, as_of: datetime | None = None) -> DemoResult:
    """Play the whole loop on loopback and leave guide, audits and database in the folder ``output``.

    ``say`` is given each line for the user. ``as_of`` is the day that the invented reports lead up to, else today.
    Doing it again changes nothing but the audits' times. Raises OperationError for trouble with files or sockets.
    """
    now = as_of or datetime.now(UTC)
    steps = WORDS[language].steps
    guide, audits, database = output / f"{DOMAIN}.html", output / "audits.json", output / "reports.sqlite"
    try:
        _make_folder(output)
        documents = await _audit_hospitals(language, say)
        audits.write_text(json.dumps(list(documents.values()), ensure_ascii=False, indent=1) + "\n", "utf-8")
        mails = await _receive_reports(database, now, language, say)
        traffic = _load_traffic(database, now)
        html = render_guide(documents[DOMAIN], traffic, language, notice=WORDS[language].demonstration)
        guide.write_text(html, "utf-8")
    except (OSError, smtplib.SMTPException) as error:
        raise OperationError(
            f"The demonstration could not go on ({error}); try another folder with --output."
        ) from error
    say(steps["mails"].format(mails=f"{mails:,}", rows=f"{traffic.messages:,}"))
    say(steps["files"])
    say(steps["guide"].format(path=guide, domain=DOMAIN))
    say(steps["audits"].format(path=audits))
    say(steps["database"].format(path=database))
    say(steps["next"])
    return DemoResult(guide, audits, database, mails, traffic.messages)


def _make_folder(path: Path) -> None:
    path.mkdir(parents=True, exist_ok=True)


async def _audit_hospitals(language: str, say: Say) -> dict[str, Document]:
    """Audit every hospital over real sockets, one after the other so that each line can be read."""
    words = WORDS[language]
    plan = Plan(policy=load_policy(DEFAULT), knowledge=load_providers())
    documents: dict[str, Document] = {}
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(DnsServer(load_zones()))
        say(words.steps["dns"].format(host=server.host, port=server.port))
        settings = ResolverSettings(nameservers=(NameServer(server.host, server.port),))
        resolver = await stack.enter_async_context(Resolver(settings))
        for hospital in HOSPITALS:
            document = to_document(await audit_domain(name(hospital), plan, resolver))
            documents[hospital] = document
            verdict = words.verdicts[document["spoofable"]["domain"]]
            findings = len(document["findings"])
            say(words.steps["audit"].format(domain=hospital, verdict=verdict, findings=findings))
    return documents


async def _receive_reports(database: Path, now: datetime, language: str, say: Say) -> int:
    """Send a week of reports to our own listener; how many mails were accepted."""
    mails = build_mails(now, WINDOW_DAYS)
    settings = ListenerSettings(addresses=(RECIPIENT,))
    async with Writer(database) as writer, Listener(settings, into_store(writer)) as listener:
        say(WORDS[language].steps["listener"].format(host=settings.host, port=listener.port))
        await send_mails(mails, settings.host, listener.port)
    return len(mails)


def _load_traffic(database: Path, now: datetime) -> Traffic:
    end = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    begin = end - timedelta(days=WINDOW_DAYS)
    # The invented reporters prove nothing about themselves; real guides count proved reports only.
    window = Window(DOMAIN, begin.date(), end.date(), least=Grade.UNVERIFIED)
    with open_reader(database) as store:
        return Traffic(begin, end, store.sources(window), store.reporters(window))
