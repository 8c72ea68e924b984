"""The story of the demonstration, from the name server to the guides."""

from __future__ import annotations

import json
import smtplib
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from mailguard.audit import Audit, Plan, audit_domain
from mailguard.demo.dns_server import DnsServer, load_zones
from mailguard.demo.reporters import Signer
from mailguard.demo.send import DOMAIN, RECIPIENT, build_mails, forge_mail, send_mails
from mailguard.errors import OperationError, PlaceError, Sentence, is_of_the_path, system_reason
from mailguard.feedback.envelope import ReceivedMail
from mailguard.guidebook.blocks import Book, Span
from mailguard.guidebook.book import make_book, make_portfolio_book, only
from mailguard.guidebook.brand import PLAIN
from mailguard.guidebook.case import Case
from mailguard.guidebook.portfolio import make_portfolio
from mailguard.ingest.listener import Listener, ListenerSettings
from mailguard.names import name
from mailguard.policy.shelf import DEFAULT, load_policy, load_providers
from mailguard.render.document import to_document
from mailguard.render.forms import render
from mailguard.render.phrases import Phrases
from mailguard.resolver import NameServer, Resolver, ResolverSettings
from mailguard.store import open_store
from mailguard.store.reports import Window
from mailguard.store.traffic import load_traffic
from mailguard.traffic import Traffic
from mailguard.trust.judge import Owned
from mailguard.words import translator
from mailguard.worker.filer import Filer
from mailguard.worker.handling import Handler
from mailguard.worker.judging import Judge
from mailguard.worker.readers import Readers
from mailguard.worker.wire import ReadingSettings

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

Tell = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What the demonstration left behind. ``pdf`` is None where none could be drawn."""

    guides: tuple[Path, ...]  # in Japanese, and in the language asked for
    portfolio: Path
    pdf: Path | None
    audits: Path
    database: Path
    traffic: Traffic


async def run_demo(output: Path, language: str, tell: Tell, *, as_of: datetime | None = None) -> DemoResult:
    """Play the whole loop on loopback and leave guides, audits and database in the folder ``output``.

    ``tell`` is given each line for the user. ``as_of`` is the day that the invented reports lead up to, else today; it
    must not lie in the future. Doing it again changes nothing but times. Raises OperationError for trouble with files
    or sockets.
    """
    stage = _Stage(output, language, tell, as_of or datetime.now(UTC))
    signer = Signer()
    try:
        stage.prepare()
        async with AsyncExitStack() as stack:
            resolver = await _start_dns(stage, signer, stack)
            audits = await _audit_hospitals(stage, resolver)
            await _receive_reports(stage, signer, resolver)
            traffic = _load_traffic(stage)
            audits[DOMAIN] = await _audit_again(stage, resolver)
        return _write_all(stage, audits, traffic)
    except (OSError, smtplib.SMTPException) as error:
        raise (PlaceError if is_of_the_path(error) else OperationError)(
            Sentence("The demonstration could not go on ({error}); try another folder with --output."),
            error=system_reason(error),
        ) from error


class _Stage:
    """What every step needs: the folder, the user's language and ear, the time, and what audits go by."""

    def __init__(self, output: Path, language: str, tell: Tell, now: datetime) -> None:
        self.output = output
        self.database = output / "reports.sqlite"
        self.language = language
        self.now = now
        self.plan = Plan(policy=load_policy(DEFAULT), knowledge=load_providers())
        self._tell = tell

    def prepare(self) -> None:
        """Make the folder. Raises OSError."""
        self.output.mkdir(parents=True, exist_ok=True)

    def say(self, text: str, /, **fields: object) -> None:
        """Tell one line in the user's language."""
        self._tell(translator(self.language)(text).format(**fields))


async def _start_dns(stage: _Stage, signer: Signer, stack: AsyncExitStack) -> Resolver:
    """The name server of the fictional hospitals and reporters, and a resolver that asks it and nobody else."""
    server = await stack.enter_async_context(DnsServer({**load_zones(), **signer.zones()}))
    stage.say(
        "A DNS server with fictional hospitals is running ({host}:{port}). Nothing leaves this machine.",
        host=server.host,
        port=server.port,
    )
    settings = ResolverSettings(nameservers=(NameServer(server.host, server.port),))
    return await stack.enter_async_context(Resolver(settings))


async def _audit_hospitals(stage: _Stage, resolver: Resolver) -> dict[str, Audit]:
    """Audit every hospital over real sockets, one after the other so that each line can be read."""
    verdict = Phrases(stage.language).verdict
    audits: dict[str, Audit] = {}
    stage.say("Can a stranger send mail in their names (at receivers that honour DMARC)?")
    for hospital in HOSPITALS:
        audits[hospital] = audit = await audit_domain(name(hospital), stage.plan, resolver)
        answer = verdict(audit.spoofable.domain)
        stage.say(
            "  {domain}: {verdict} (findings: {count})", domain=hospital, verdict=answer, count=len(audit.findings)
        )
    return audits


async def _receive_reports(stage: _Stage, signer: Signer, resolver: Resolver) -> None:
    """Send a week of signed reports and a forged one to our own listener; each is stored when the sender is told so."""
    mails = [*map(signer.sign, build_mails(stage.now, WINDOW_DAYS)), forge_mail(stage.now)]
    settings = ListenerSettings(addresses=(RECIPIENT,))
    judge = Judge(Owned(frozenset({name(DOMAIN)})))
    with open_store(stage.database) as store:
        judge.remember(store.known_names())
    async with (
        Filer(lambda: open_store(stage.database), patient=False) as filer,
        Readers(ReadingSettings(), processes=1, gate=filer.has_room) as readers,
    ):
        handler = Handler(readers=readers, filer=filer, judge=judge, resolver=resolver)

        async def deliver(mail: ReceivedMail) -> None:
            await handler.handle(mail)

        async with Listener(settings, deliver) as listener:
            stage.say(
                "{count} report mails go to our listener ({host}:{port}).",
                count=len(mails),
                host=settings.host,
                port=listener.port,
            )
            await send_mails(mails, settings.host, listener.port)


def _load_traffic(stage: _Stage) -> Traffic:
    until = stage.now.astimezone(UTC).date() - timedelta(days=1)
    since = until - timedelta(days=WINDOW_DAYS - 1)
    with open_store(stage.database) as store:
        traffic = load_traffic(store, DOMAIN, since, until, stage.plan.knowledge)
    assert traffic is not None, "the reports that were sent are about this window"
    stage.say(
        "  Counted: {reports} reports whose signatures (DKIM) prove who sent them. They tell of {messages} mails.",
        reports=sum(reporter.reports for reporter in traffic.reporters),
        messages=f"{traffic.messages:,}",
    )
    stage.say(
        "  Not counted: reports that nothing proves ({count}). They were forged for this demonstration.",
        count=traffic.unverified,
    )
    return traffic


async def _audit_again(stage: _Stage, resolver: Resolver) -> Audit:
    """Audit the guide's hospital once more, now that its reports have told which DKIM selectors are in use."""
    # Who may only read would leave the files of the log behind.
    with open_store(stage.database) as store:
        selectors = store.own_selectors(Window(DOMAIN))
    stage.say(
        "Audited {domain} once more with the DKIM selectors that the reports told of ({selectors}).",
        domain=DOMAIN,
        selectors=", ".join(selectors),
    )
    return await audit_domain(name(DOMAIN), replace(stage.plan, reported={name(DOMAIN): selectors}), resolver)


def _write_all(stage: _Stage, audits: Mapping[str, Audit], traffic: Traffic) -> DemoResult:
    cases = {domain: _case(stage, audit, traffic if domain == DOMAIN else None) for domain, audit in audits.items()}
    stage.say("Files:")
    result = DemoResult(
        guides=tuple(_write_guides(stage, cases[DOMAIN])),
        pdf=_write_pdf(stage, cases[DOMAIN]),
        portfolio=_write_portfolio(stage, list(cases.values())),
        audits=stage.output / "audits.json",
        database=stage.database,
        traffic=traffic,
    )
    documents = [case.document for case in cases.values()]
    result.audits.write_text(json.dumps(documents, ensure_ascii=False, indent=1) + "\n", "utf-8")
    stage.say("  {path}  all audits (JSON)", path=result.audits)
    stage.say("  {path}  the reports received (SQLite)", path=result.database)
    stage.say("A guide for a domain of your own: {command} guide YOUR-DOMAIN -o guide.html", command=_own_command())
    return result


def _case(stage: _Stage, audit: Audit, traffic: Traffic | None) -> Case:
    return Case(
        document=to_document(audit),
        evidence=audit.evidence,
        made_at=stage.now,
        knowledge=stage.plan.knowledge,
        traffic=traffic,
    )


def _write_guides(stage: _Stage, case: Case) -> Iterator[Path]:
    """The guide in Japanese, and in the language asked for."""
    say = translator(stage.language)
    names = {"ja": say("Japanese"), "en": say("English")}
    for language in dict.fromkeys(("ja", stage.language)):
        path = _write(stage, DOMAIN, "html", make_book(case, language))
        told = "  {path}  guide for {domain} ({language}; open it in a browser)"
        stage.say(told, path=path, domain=case.domain, language=names[language])
        yield path


def _write_pdf(stage: _Stage, case: Case) -> Path | None:
    """The director's page alone: a whole guide takes some seconds."""
    book = only(make_book(case, stage.language), "director")
    try:
        path = _write(stage, DOMAIN, "pdf", book)
    except OperationError as error:
        stage.say("  No PDF: {reason}", reason=error.told(translator(stage.language)))
        return None
    stage.say("  {path}  the director's page, to print (PDF)", path=path)
    return path


def _write_portfolio(stage: _Stage, cases: list[Case]) -> Path:
    path = _write(stage, "portfolio", "html", make_portfolio_book(make_portfolio(cases), stage.language))
    stage.say("  {path}  report on all {count} hospitals", path=path, count=len(cases))
    return path


def _write(stage: _Stage, called: str, form: str, book: Book) -> Path:
    """One file, with the notice that everything in it is invented."""
    say = translator(book.language)
    notice = say("This is a demonstration with fictional hospitals. Names, mails and figures are invented.")
    ((suffix, content),) = render(form, replace(book, notice=(Span(notice),)), PLAIN)
    middle = "" if book.language == "ja" else f".{book.language}"
    path = stage.output / f"{called}{middle}{suffix}"
    path.write_bytes(content)
    return path


def _own_command() -> str:
    """How this program was called, as short as it can be typed again from here."""
    called = Path(sys.argv[0])
    if called.name != "mailguard":
        return "mailguard"
    return str(called.relative_to(Path.cwd())) if called.is_relative_to(Path.cwd()) else str(called)
