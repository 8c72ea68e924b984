"""Carrying out one run of ``mailguard audit``: from what was asked for to what was shown."""

from __future__ import annotations

import asyncio
import re
import sys
import traceback
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self, TextIO

import click

from mailguard import __version__
from mailguard.audit import Audit, Plan, audit_domain, replay_audit
from mailguard.bulk import Failed, stream
from mailguard.cli.console import speaks_unicode
from mailguard.cli.exits import WRONG_USE, Outcome
from mailguard.cli.gather import gather
from mailguard.cli.options import resolver_settings
from mailguard.cli.output import FileOutput, Renderer, StandardOutput, cut_to_whole_lines, unwritable
from mailguard.cli.speaking import say
from mailguard.dkim.selectors import selector_of
from mailguard.dossier import Expectation, MailingLists
from mailguard.errors import EvidenceError, OperationError, Sentence, UsageError
from mailguard.evidence import Evidence
from mailguard.evidence.files import EvidenceWriter, load_evidence
from mailguard.names import DomainName
from mailguard.policy.files import combine
from mailguard.policy.shelf import DEFAULT, load_policy, load_providers
from mailguard.render.document import to_document
from mailguard.resolver import Resolver, ResolverSettings
from mailguard.rules.base import Severity

Output = StandardOutput | FileOutput


@dataclass(slots=True)
class Run:
    """One run, ready to go."""

    domains: list[DomainName]
    options: Mapping[str, Any]
    plan: Plan
    settings: ResolverSettings
    jobs: int
    replay: Path | None
    evidence: _EvidenceFile | None
    fail_on: Severity | None
    output: Output
    outcome: Outcome

    @classmethod
    def prepare(cls, options: dict[str, Any], language: str, outcome: Outcome) -> Run:
        """Understand the options. Raises click.UsageError or UsageError for what cannot be done."""
        if options["resume"] and not options["output"]:
            raise click.UsageError(say("--resume goes with -o FILE: without a file nothing is kept to go on from."))
        _refuse_overwriting(options)
        gathered = gather(options["domains"], options["files"])
        outcome.wrong_use |= gathered.faulty
        if gathered.faulty and not gathered.domains:
            raise click.exceptions.Exit(WRONG_USE)  # what is wrong has been told
        if not (gathered.domains or options["replay"]):
            raise click.UsageError(say("Name a domain, for example: mailguard audit clinic.example.jp"))
        plan = _plan(options)
        single = len(gathered.domains) == 1 and len(options["domains"]) == 1 and not options["files"]
        asks = plan.policy.expect.mailing_lists is MailingLists.UNSET
        return cls(
            domains=gathered.domains,
            options=options,
            plan=plan,
            settings=resolver_settings(options["nameservers"], options["timeout"]),
            jobs=options["jobs"],
            replay=Path(options["replay"]) if options["replay"] else None,
            evidence=_evidence_file(options),
            fail_on=None if options["fail_on"] == "never" else Severity(options["fail_on"]),
            output=_output(options, language, single=single, asks=asks),
            outcome=outcome,
        )


def _refuse_overwriting(options: Mapping[str, Any]) -> None:
    """What a run reads, it does not write; two results never go into one file."""
    taken = {Path(name).resolve() for name in (*options["files"], options["replay"] or "-") if name != "-"}
    for name in (options["output"], options["save_evidence"]):
        if name and Path(name).resolve() in taken:
            told = "{file} is used twice in this run; give what is written a file of its own."
            raise UsageError(told, file=name)
        taken.add(Path(name or "-").resolve())


def _output(options: Mapping[str, Any], language: str, *, single: bool, asks: bool) -> Output:
    to_file = bool(options["output"])
    renderer = choose_renderer(options["form"], language, single=single, to_file=to_file, asks=asks)
    if to_file:
        return FileOutput(renderer, Path(options["output"]), resume=options["resume"])
    return StandardOutput(renderer)


def _evidence_file(options: Mapping[str, Any]) -> _EvidenceFile | None:
    if not options["save_evidence"]:
        return None
    return _EvidenceFile(Path(options["save_evidence"]), resume=options["resume"])


def _plan(options: Mapping[str, Any]) -> Plan:
    policy = combine([load_policy(name) for name in options["policies"] or (DEFAULT,)])
    lists = options["mailing_lists"]
    said = Expectation(
        MailingLists(lists) if lists else MailingLists.UNSET, sends=options["sends"], receives=options["receives"]
    )
    return Plan(
        policy=policy,
        knowledge=load_providers(),
        selectors=tuple(dict.fromkeys(_selector(text) for text in options["selectors"])),
        said=said,
        second_opinion=options["second_opinion"],
        told={key: options[key] for key in _TOLD if options[key] not in (None, ())},
    )


_SELECTOR = re.compile(r"(?=.{1,200}\Z)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_][a-z0-9_-]{0,62})*")


def _selector(text: str) -> str:
    selector = selector_of(text)
    # RFC 6376 section 3.1: labels; the underscore is not among their characters, but is in use.
    if not _SELECTOR.fullmatch(selector):
        raise UsageError("{text!r} is no DKIM selector; it is what s= says in a DKIM-Signature.", text=text)
    return selector


_TOLD: Final[Mapping[str, Callable[[object], bool]]] = {
    "policies": lambda value: isinstance(value, tuple),
    "mailing_lists": lambda value: value in ("yes", "no"),
    "sends": lambda value: isinstance(value, bool),
    "receives": lambda value: isinstance(value, bool),
}
"""Options that change what is found in the same answers, kept with the evidence, and the values they can have."""


def choose_renderer(form: str, language: str, *, single: bool, to_file: bool, asks: bool) -> Renderer:
    """The renderer for a form of output; ``asks`` whether the policy wants to know about mailing lists."""
    ascii_only = not to_file and not speaks_unicode()
    if form == "json":
        from mailguard.render.data import Json

        return Json(single=single, ascii_only=ascii_only)
    if form == "ndjson":
        from mailguard.render.data import Ndjson

        return Ndjson(ascii_only=ascii_only)
    if form == "csv":
        from mailguard.render.data import Csv

        return Csv(bom=not ascii_only)
    if form == "sarif":
        from mailguard.render.sarif import Sarif

        return Sarif(language, ascii_only=ascii_only)
    if form == "markdown":
        from mailguard.render.markdown import Markdown

        return Markdown(language)
    from mailguard.cli.console import terminal

    return terminal(language, to_file=to_file, asks=asks)


async def run_audits(run: Run) -> None:
    """Audit everything, showing each result as it comes. Raises OperationError where our own disk fails."""
    from mailguard.cli.console import Progress

    with ExitStack() as stack:
        # Entered first, left last: an interruption still closes the output properly.
        output: Output = run.output
        stack.enter_context(output)
        for document in output.earlier():
            run.outcome.count(document, run.fail_on)
        writer = stack.enter_context(run.evidence or nullcontext())
        wanted = [domain for domain in run.domains if domain not in output.done]
        progress = stack.enter_context(Progress(len(wanted)))
        results = _replayed(run, output.done) if run.replay else _asked(run, wanted)
        async for result in results:
            if isinstance(result, Failed):
                _tell_failure(result)
                run.outcome.our_failure = True
            else:
                document = to_document(result)
                if writer:
                    writer.add(result.evidence)
                with progress.aside():
                    output.add(document)
                run.outcome.count(document, run.fail_on)
            progress.advance()


async def _asked(run: Run, domains: list[DomainName]) -> AsyncIterator[Audit | Failed[DomainName]]:
    async with Resolver(run.settings) as resolver:

        async def work(domain: DomainName) -> Audit:
            return await audit_domain(domain, run.plan, resolver)

        async for result in stream(domains, work, min(run.jobs, max(1, len(domains)))):
            yield result


async def _replayed(run: Run, done: frozenset[str]) -> AsyncIterator[Audit | Failed[DomainName]]:
    plans: dict[str, Plan] = {}
    for evidence in _chosen(run, done):
        told = _told(evidence)
        if repr(told) not in plans:
            # What this run is told goes before what that run was told.
            plans[repr(told)] = _plan({**run.options, **told, **run.plan.told}) if told else run.plan
        try:
            yield replay_audit(evidence, plans[repr(told)])
        except Exception as error:
            yield Failed(evidence.domain, error)
        await asyncio.sleep(0)  # so that Ctrl-C is heard


def _told(evidence: Evidence) -> dict[str, Any]:
    """What the run that made the evidence was told. Raises EvidenceError for a value that it cannot have been told."""
    told = {key: value for key, value in evidence.options.items() if key in _TOLD}
    for key, value in told.items():
        if not _TOLD[key](value):
            reason = Sentence('the option "{key}" has a value that no option has', key=key)
            raise EvidenceError(
                "The evidence about {domain} is damaged: {reason}.", domain=evidence.domain, reason=reason
            )
    return told


def _chosen(run: Run, done: frozenset[str]) -> Iterator[Evidence]:
    """The evidence of the domains that were named, or all of it."""
    assert run.replay is not None
    missing = dict.fromkeys(run.domains)
    for evidence in load_evidence(run.replay):
        if (not run.domains or evidence.domain in run.domains) and evidence.domain not in done:
            missing.pop(evidence.domain, None)
            yield evidence
    lost = [domain for domain in missing if domain not in done]
    if lost:
        raise UsageError("{file} has no evidence about {domain}.", file=run.replay, domain=", ".join(lost))


class _EvidenceFile:
    """The evidence file of a run, opened at once so that a wrong path is told before anything is asked."""

    def __init__(self, path: Path, *, resume: bool) -> None:
        self._path = path
        self._resume = resume
        self._stream: TextIO

    def __enter__(self) -> Self:
        goes_on = self._resume and self._path.is_file()
        try:
            if goes_on:
                cut_to_whole_lines(self._path)
            self._stream = self._path.open("a" if goes_on else "w", encoding="utf-8")
            made_by = None if goes_on and self._path.stat().st_size else f"mailguard {__version__}"
            self._writer = EvidenceWriter(self._stream, made_by)
        except OSError as error:
            raise UsageError(unwritable(self._path, error)) from error
        return self

    def add(self, evidence: Evidence) -> None:
        """Keep what was seen about one domain."""
        try:
            self._writer.add(evidence)
        except OSError as error:
            raise OperationError(unwritable(self._path, error)) from error

    def __exit__(self, *_: object) -> None:
        try:
            self._stream.close()
        except OSError as error:
            raise OperationError(unwritable(self._path, error)) from error


def _tell_failure(failed: Failed[DomainName]) -> None:
    message = say("{domain}: mailguard itself failed ({error}); the other domains go on. Please report this.")
    click.echo(f"mailguard: {message.format(domain=failed.item, error=repr(failed.error))}", err=True)
    if sys.flags.dev_mode:
        traceback.print_exception(failed.error)
