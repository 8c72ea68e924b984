"""The story of the demonstration, from the name server to the guide."""

from __future__ import annotations

import asyncio
import json
import smtplib
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from mailguard.audit import Plan, audit_domain
from mailguard.demo.dns_server import DnsServer, load_zones
from mailguard.demo.guide import Traffic, render_guide
from mailguard.demo.send import DOMAIN, RECIPIENT, build_mails, send_mails
from mailguard.demo.words import WORDS
from mailguard.errors import OperationError
from mailguard.feedback.envelope import ReceivedMail
from mailguard.feedback.mail import read_mail
from mailguard.ingest.listener import Listener, ListenerSettings
from mailguard.names import name
from mailguard.policy.shelf import DEFAULT, load_policy, load_providers
from mailguard.render.document import to_document
from mailguard.resolver import NameServer, Resolver, ResolverSettings
from mailguard.store import open_reader, open_store
from mailguard.store.reports import Window
from mailguard.trust.grade import Grade
from mailguard.worker.filer import Filer
from mailguard.worker.judging import Judge

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

# The invented reporters prove nothing about themselves; real guides count proved reports only.
_LEAST: Final = Grade.UNVERIFIED

Say = Callable[[str], object]
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What the demonstration left behind. ``messages`` are those that the stored reports tell about."""

    guides: tuple[Path, ...]  # in Japanese, and in the language asked for
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
    audits, database = output / "audits.json", output / "reports.sqlite"
    guides = {output / f"{DOMAIN}.html": "ja"}
    if language != "ja":
        guides[output / f"{DOMAIN}.{language}.html"] = language
    try:
        _make_folder(output)
        async with AsyncExitStack() as stack:
            resolver = await _start_dns(stack, language, say)
            documents = await _audit_hospitals(resolver, language, say)
            mails = await _receive_reports(database, now, language, say)
            traffic = _load_traffic(database, now)
            say(steps["mails"].format(mails=f"{mails:,}", rows=f"{traffic.messages:,}"))
            documents[DOMAIN] = await _audit_again(resolver, database, language, say)
        audits.write_text(json.dumps(list(documents.values()), ensure_ascii=False, indent=1) + "\n", "utf-8")
        for path, spoken in guides.items():
            notice = WORDS[spoken].demonstration
            path.write_text(render_guide(documents[DOMAIN], traffic, spoken, notice=notice), "utf-8")
    except (OSError, smtplib.SMTPException) as error:
        raise OperationError(
            "The demonstration could not go on ({error}); try another folder with --output.", error=error
        ) from error
    say(steps["files"])
    for path, spoken in guides.items():
        say(steps["guide"].format(path=path, domain=DOMAIN, language=WORDS[language].languages[spoken]))
    say(steps["audits"].format(path=audits))
    say(steps["database"].format(path=database))
    say(steps["next"].format(command=_own_command()))
    return DemoResult(tuple(guides), audits, database, mails, traffic.messages)


def _own_command() -> str:
    """How this program was called, as short as it can be typed again from here."""
    called = Path(sys.argv[0])
    if called.name != "mailguard":
        return "mailguard"
    return str(called.relative_to(Path.cwd())) if called.is_relative_to(Path.cwd()) else str(called)


def _make_folder(path: Path) -> None:
    path.mkdir(parents=True, exist_ok=True)


async def _start_dns(stack: AsyncExitStack, language: str, say: Say) -> Resolver:
    """The name server of the fictional hospitals, and a resolver that asks it and nobody else."""
    server = await stack.enter_async_context(DnsServer(load_zones()))
    say(WORDS[language].steps["dns"].format(host=server.host, port=server.port))
    settings = ResolverSettings(nameservers=(NameServer(server.host, server.port),))
    return await stack.enter_async_context(Resolver(settings))


def _plan() -> Plan:
    return Plan(policy=load_policy(DEFAULT), knowledge=load_providers())


async def _audit_hospitals(resolver: Resolver, language: str, say: Say) -> dict[str, Document]:
    """Audit every hospital over real sockets, one after the other so that each line can be read."""
    words = WORDS[language]
    documents: dict[str, Document] = {}
    for hospital in HOSPITALS:
        document = to_document(await audit_domain(name(hospital), _plan(), resolver))
        documents[hospital] = document
        verdict = words.verdicts[document["spoofable"]["domain"]]
        findings = len(document["findings"])
        say(words.steps["audit"].format(domain=hospital, verdict=verdict, findings=findings))
    return documents


async def _audit_again(resolver: Resolver, database: Path, language: str, say: Say) -> Document:
    """Audit the guide's hospital once more, now that its reports have told which DKIM selectors are in use."""
    with open_reader(database) as store:
        selectors = store.own_selectors(Window(DOMAIN, least=_LEAST))
    say(WORDS[language].steps["again"].format(domain=DOMAIN, selectors=", ".join(selectors)))
    return to_document(await audit_domain(name(DOMAIN), replace(_plan(), reported={name(DOMAIN): selectors}), resolver))


async def _receive_reports(database: Path, now: datetime, language: str, say: Say) -> int:
    """Send a week of reports to our own listener; how many mails were accepted."""
    mails = build_mails(now, WINDOW_DAYS)
    settings = ListenerSettings(addresses=(RECIPIENT,))
    judge = Judge(None)

    async def deliver(mail: ReceivedMail) -> None:
        contents = await asyncio.to_thread(read_mail, mail.raw)
        await filer.add(judge.file(mail, contents, None))

    async with (
        Filer(lambda: open_store(database), patient=False) as filer,
        Listener(settings, deliver) as listener,
    ):
        say(WORDS[language].steps["listener"].format(host=settings.host, port=listener.port))
        await send_mails(mails, settings.host, listener.port)
    return len(mails)


def _load_traffic(database: Path, now: datetime) -> Traffic:
    end = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    begin = end - timedelta(days=WINDOW_DAYS)
    window = Window(DOMAIN, begin.date(), end.date(), least=_LEAST)
    with open_reader(database) as store:
        return Traffic(begin, end, store.sources(window), store.reporters(window))
