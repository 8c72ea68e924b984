"""Carrying out one run of ``mailguard guide send``: from list and audits to mails, from the outbox to the server."""

from __future__ import annotations

import shlex
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mailguard.bulk import Failed
from mailguard.cli.archive import Archive
from mailguard.cli.auditing import asked, make_plan, tell_failure
from mailguard.cli.exits import FINDINGS, OK, WRONG_USE
from mailguard.cli.guiding import Earlier
from mailguard.cli.options import resolver_settings
from mailguard.cli.previewing import PreviewFolder
from mailguard.cli.saved import read_audits
from mailguard.cli.sendtelling import say_fate, say_line, say_why
from mailguard.cli.speaking import say
from mailguard.errors import Sentence, UsageError, system_reason
from mailguard.guidebook.blocks import Reader
from mailguard.guidebook.book import make_book
from mailguard.guidebook.brand import Brand, load_brand
from mailguard.guidebook.case import Case, Clinic, Document
from mailguard.render.book.mime import dated, is_address
from mailguard.render.book.pool import PdfPool
from mailguard.render.document import to_document
from mailguard.render.safe import visible
from mailguard.sending.gate import judge_sender
from mailguard.sending.outbox import Outbox
from mailguard.sending.prepare import Prepared, prepare
from mailguard.sending.recipients import MAX_BYTES, Recipient, read_recipients
from mailguard.sending.run import Choice, Clock, Why, choose, note_refusals, refusal, send_all
from mailguard.sending.settings import SendSettings, load_send_settings
from mailguard.sending.smtp import Channel, Fate, Handed
from mailguard.sending.values import Message, State

if TYPE_CHECKING:
    from mailguard.audit import Plan
    from mailguard.names import DomainName

_JOBS = 8
_FEW = 20


class Mode(StrEnum):
    """What a run is for."""

    PREVIEW = "preview"
    DRY = "dry"
    TEST = "test"
    MAKE_AND_SEND = "make-and-send"
    SEND = "send"


@dataclass(slots=True)
class Sending:
    """One run, ready to go."""

    options: Mapping[str, Any]
    mode: Mode
    settings: SendSettings
    recipients: tuple[Recipient, ...]
    brand: Brand
    readers: tuple[Reader, ...]
    plan: Plan
    now: datetime
    left_out: bool = False
    pool: PdfPool | None = None

    @classmethod
    def prepare(cls, options: Mapping[str, Any]) -> Sending:
        """Understand the options. Raises click.UsageError or UsageError for what cannot be done."""
        mode = _mode(options)
        if not options["recipients"]:
            raise click.UsageError(say("Name the list of recipients: --recipients FILE"))
        settings = load_send_settings(options["sender"])
        chosen = options["readers"]
        return cls(
            options=options,
            mode=mode,
            settings=settings,
            recipients=_recipients(options["recipients"], advertising=settings.advertising),
            brand=load_brand(Path(options["brand"])) if options["brand"] else Brand(),
            readers=tuple(Reader) if "all" in chosen else tuple(Reader(one) for one in dict.fromkeys(chosen)),
            plan=_plan(policies=options["policies"]),
            now=datetime.now(UTC),
        )

    async def run(self) -> int:
        """The exit code. Raises UsageError, and OperationError where our disk or the mail server fails."""
        match self.mode:
            case Mode.DRY:
                await self._say_what_would_be()
            case Mode.PREVIEW:
                await self._preview()
            case Mode.TEST:
                await self._test()
            case Mode.MAKE_AND_SEND:
                await self._check_sender()
                with closing(Outbox.open(self.settings.outbox)) as outbox:
                    await self._make(outbox)
                    await self._send(outbox)
            case Mode.SEND:
                with closing(Outbox.open(self.settings.outbox)) as outbox:
                    self._check_preview(outbox)
                    await self._check_sender()
                    await self._send(outbox)
        return FINDINGS if self.left_out else OK

    def _check_preview(self, outbox: Outbox) -> None:
        """Raises click.UsageError where mails are still to be made of the audits that were given."""
        choices = choose(outbox, self.recipients, self.settings) if self.options["audits"] else ()
        if any(choice.why is Why.NOT_PREPARED for choice in choices):
            told = "Look at the mails before they go out: add --preview DIR. Or send them without a look: --yes"
            raise click.UsageError(say(told))

    async def _preview(self) -> None:
        with closing(Outbox.open(self.settings.outbox)) as outbox, PreviewFolder(self.options["preview"]) as folder:
            made = await self._make(outbox, folder)
        place = folder.path
        told = say(
            "{count} mails lie in {folder}. Nothing was sent. Look at them, then send just these with: {command}"
        )
        click.echo(told.format(count=made, folder=place, command=self._to_send()), err=True)

    def _to_send(self) -> str:
        """The command that sends what was prepared, to be pasted into a shell."""
        named = (("--sender", self.options["sender"]), ("--recipients", self.options["recipients"]))
        return shlex.join(["mailguard", "guide", "send", *(word for option in named for word in option)])

    async def _make(self, outbox: Outbox, folder: PreviewFolder | None = None) -> int:
        """Put a mail into the outbox for everybody who may get one and has not had it."""
        note_refusals(outbox, self.recipients, self.now)
        made = 0
        async for recipient, prepared in self._prepared(outbox):
            why = refusal(outbox, recipient)
            if prepared is None or why:
                self._leave_out(Choice(why or Why.NOT_PREPARED, None, recipient))
                continue
            message = outbox.put(prepared.draft, self.now)
            if message.state is not State.PENDING:
                self._leave_out(Choice(Why.UNCLEAR if message.state is State.UNCLEAR else Why.DONE, message, recipient))
                continue
            made += 1
            if folder:
                folder.add(prepared, recipient)
        return made

    async def _prepared(self, outbox: Outbox | None) -> AsyncIterator[tuple[Recipient, Prepared | None]]:
        """Every line of the list with its mail; None where its domain has no audit, or nothing may be sent."""
        waiting: dict[str, list[Recipient]] = {}
        for recipient in self.recipients:
            if refusal(outbox, recipient):
                yield recipient, None
            else:
                waiting.setdefault(str(recipient.domain), []).append(recipient)
        options = {"database": self.options["database"], "config": None}
        with Archive.open(options) as archive, self._pooled():
            earlier = Earlier.prepare(self.options["since"], archive)
            async for document in self._documents(waiting):
                previous = earlier.of(document, archive) if earlier else None
                for recipient in waiting.pop(document["domain"], ()):
                    yield recipient, self._mail(document, previous, recipient, archive, outbox)
                if self.mode is not Mode.DRY:
                    archive.keep(document)
        for recipients in waiting.values():
            for recipient in recipients:
                yield recipient, None

    def _mail(
        self,
        document: Document,
        previous: Document | None,
        recipient: Recipient,
        archive: Archive,
        outbox: Outbox | None,
    ) -> Prepared:
        knowledge = self.plan.knowledge
        case = Case(
            document=document,
            made_at=self.now,
            knowledge=knowledge,
            traffic=archive.traffic(document["domain"], self.now, self.options["days"], knowledge),
            previous=previous,
            clinic=Clinic(recipient.clinic, recipient.name),
            imprint=self.brand.imprint(recipient.language),
        )
        book = make_book(case, recipient.language, readers=self.readers, furigana=self.options["furigana"])
        known = outbox.find(recipient.email, book.number) if outbox else None
        font = self.options["font"]
        pdf = self.pool.render(book, self.brand, font=font) if self.pool else None
        return prepare(book, recipient, self.settings, self.brand, font=font, pdf=pdf, known=known)

    @contextmanager
    def _pooled(self) -> Iterator[None]:
        """For a long list, PDFs are made in another process: the engine never gives back what it remembers."""
        if len(self.recipients) <= _FEW:
            yield
            return
        with PdfPool() as self.pool:
            yield
        self.pool = None

    async def _documents(self, wanted: Mapping[str, Sequence[Recipient]]) -> AsyncIterator[Document]:
        if self.options["audits"]:
            for document in read_audits(Path(self.options["audits"])):
                if document["domain"] in wanted:
                    yield document
            return
        async for document in self._audited([rows[0].domain for rows in wanted.values()], self.plan):
            yield document

    async def _audited(self, domains: Sequence[DomainName], plan: Plan) -> AsyncIterator[Document]:
        settings = resolver_settings(self.options["nameservers"], self.options["timeout"])
        async for result in asked(domains, plan, settings, _JOBS):
            if isinstance(result, Failed):
                tell_failure(result)
            else:
                yield to_document(result)

    async def _check_sender(self) -> None:
        """Raises UsageError with every reason why the sender may not send."""
        sender = self.settings.sender
        if self.options["sender_audit"]:
            documents = list(read_audits(Path(self.options["sender_audit"])))
        else:
            documents = [one async for one in self._audited([sender.domain], _plan(selectors=sender.dkim_selectors))]
        told = "Nothing is sent: {domain} itself does not pass the audit ({reasons}); see: mailguard audit {domain}"
        fitting = [one for one in documents if one["domain"] == str(sender.domain)] or documents
        reasons = judge_sender(fitting[-1], str(sender.domain), self.now) if fitting else (_NO_AUDIT,)
        if reasons:
            listed = say("; ").join(reason.told(say) for reason in reasons)
            raise UsageError(told, domain=sender.domain, reasons=listed)

    async def _send(self, outbox: Outbox) -> None:
        note_refusals(outbox, self.recipients, self.now)
        choices = tuple(choose(outbox, self.recipients, self.settings))
        for choice in choices:
            if choice.why is not Why.GOES:
                self._leave_out(choice)
        messages = [choice.message for choice in choices if choice.why is Why.GOES and choice.message]
        messages = messages[: self.options["limit"]]
        if not messages:
            click.echo(say("Nothing waits to be sent."), err=True)
            return
        async with Channel(self.settings.smtp) as channel:
            await send_all(outbox, messages, channel, self.settings, self._tell, Clock())

    def _tell(self, message: Message, handed: Handed) -> None:
        self.left_out |= handed.fate is not Fate.TAKEN
        say_line(message.domain, message.recipient, say_fate(handed))

    async def _test(self) -> None:
        address = self.options["test_address"]
        if not is_address(address):
            raise UsageError("{text} is no mail address that can be written to.", text=repr(address))
        await self._check_sender()
        with closing(Outbox.open(self.settings.outbox)) as outbox:
            chosen = (one.message for one in choose(outbox, self.recipients, self.settings) if one.why is Why.GOES)
            message = next((one for one in chosen if one), None)
            if message is None:
                raise UsageError("There is no mail to test with; make a preview first: --preview DIR")
            raw = dated(outbox.raw(message), self.now)
        async with Channel(self.settings.smtp) as channel:
            sender = self.settings.sender.bounces
            handed = await channel.hand_over(sender, address, raw, envelope_id="test", begin=lambda: True)
        self.left_out |= handed.fate is not Fate.TAKEN
        say_line(message.domain, address, say_fate(handed))

    async def _say_what_would_be(self) -> None:
        found = Outbox.read(self.settings.outbox)
        with closing(found) if found else nullcontext():
            for choice in [one async for one in self._dry_choices(found)]:
                if choice.why is Why.GOES and choice.recipient:
                    say_line(str(choice.recipient.domain), choice.recipient.email, say("would be sent"))
                else:
                    self._leave_out(choice)
        await self._check_sender()

    async def _dry_choices(self, outbox: Outbox | None) -> AsyncIterator[Choice]:
        if outbox and not self.options["audits"]:
            for choice in choose(outbox, self.recipients, self.settings):
                yield choice
            return
        async for recipient, prepared in self._prepared(outbox):
            known = outbox.find(recipient.email, prepared.draft.number) if outbox and prepared else None
            if prepared is None:
                yield Choice(refusal(outbox, recipient) or Why.NOT_PREPARED, None, recipient)
            elif known and known.state is not State.PENDING:
                yield Choice(Why.UNCLEAR if known.state is State.UNCLEAR else Why.DONE, known, recipient)
            else:
                yield Choice(Why.GOES, known, recipient)

    def _leave_out(self, choice: Choice) -> None:
        if choice.why not in (Why.DONE, Why.OPT_OUT):
            self.left_out = True
        domain = choice.message.domain if choice.message else str(choice.recipient.domain if choice.recipient else "")
        address = choice.message.recipient if choice.message else (choice.recipient.email if choice.recipient else "")
        say_line(domain, address, say_why(choice))


_NO_AUDIT = Sentence("it could not be audited")


def _mode(options: Mapping[str, Any]) -> Mode:
    asked_for = {
        Mode.PREVIEW: options["preview"] is not None,
        Mode.DRY: options["dry_run"],
        Mode.TEST: options["test_address"] is not None,
        Mode.MAKE_AND_SEND: options["yes"],
    }
    chosen = [mode for mode, wanted in asked_for.items() if wanted]
    if len(chosen) > 1:
        raise click.UsageError(say("Give only one of --preview, --dry-run, --test-address and --yes."))
    return chosen[0] if chosen else Mode.SEND


def _recipients(name: str, *, advertising: bool) -> tuple[Recipient, ...]:
    try:
        if name == "-":
            content = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with Path(name).open("rb") as file:
                content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        told = "{file} cannot be read ({reason}); check the path."
        raise UsageError(told, file=name, reason=system_reason(error)) from error
    found = read_recipients(content, name, advertising=advertising)
    for problem in found.problems:
        click.echo(f"mailguard: {visible(problem.told(say))}", err=True)
    if found.problems:
        click.echo(f"mailguard: {say('Nothing was sent. Correct these lines first.')}", err=True)
        raise click.exceptions.Exit(WRONG_USE)
    return found.recipients


def _plan(*, policies: tuple[str, ...] = (), selectors: tuple[str, ...] = ()) -> Plan:
    options: dict[str, Any] = {
        "policies": policies,
        "mailing_lists": None,
        "sends": None,
        "receives": None,
        "selectors": selectors,
        "second_opinion": False,
    }
    return make_plan(options)


def print_law(language: str) -> None:
    """Help on the law, with its sources."""
    from mailguard.render.book.text import blocks_text
    from mailguard.sending.law import law_help

    click.echo(blocks_text(law_help(language)), nl=False)
