"""Carrying out one run of ``mailguard audit``: from what was asked for to what was shown."""

from __future__ import annotations

import asyncio
import sys
import traceback
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TextIO

import click

from mailguard import __version__
from mailguard.audit import Audit, Plan, audit_domain, replay_audit
from mailguard.bulk import Failed, stream
from mailguard.cli.exits import Outcome
from mailguard.cli.gather import gather
from mailguard.cli.options import resolver_settings
from mailguard.cli.output import FileOutput, Renderer, StandardOutput
from mailguard.cli.speaking import say
from mailguard.dossier import Expectation, MailingLists
from mailguard.errors import OperationError, UsageError
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
    evidence: Path | None
    fail_on: Severity | None
    output: Output
    outcome: Outcome

    @classmethod
    def prepare(cls, options: dict[str, Any], language: str, outcome: Outcome) -> Run:
        """Understand the options. Raises click.UsageError or UsageError for what cannot be done."""
        gathered = gather(options["domains"], options["files"])
        outcome.wrong_use |= gathered.faulty
        if not (gathered.domains or gathered.faulty or options["files"] or options["replay"]):
            raise click.UsageError(say("Name a domain, for example: mailguard audit clinic.example.jp"))
        if options["resume"] and not options["output"]:
            raise click.UsageError(say("--resume goes with -o FILE: without a file nothing is kept to go on from."))
        single = len(gathered.domains) == 1 and len(options["domains"]) == 1 and not options["files"]
        renderer = choose_renderer(options["form"], language, single=single, to_file=bool(options["output"]))
        output: Output = StandardOutput(renderer)
        if options["output"]:
            output = FileOutput(renderer, Path(options["output"]), resume=options["resume"])
        return cls(
            domains=gathered.domains,
            options=options,
            plan=_plan(options),
            settings=resolver_settings(options["nameservers"], options["timeout"]),
            jobs=options["jobs"],
            replay=Path(options["replay"]) if options["replay"] else None,
            evidence=Path(options["save_evidence"]) if options["save_evidence"] else None,
            fail_on=None if options["fail_on"] == "never" else Severity(options["fail_on"]),
            output=output,
            outcome=outcome,
        )


def _plan(options: Mapping[str, Any]) -> Plan:
    policy = combine([load_policy(name) for name in options["policies"] or (DEFAULT,)])
    lists = options["mailing_lists"]
    said = Expectation(
        MailingLists(lists) if lists else MailingLists.UNSET, sends=options["sends"], receives=options["receives"]
    )
    return Plan(
        policy=policy,
        knowledge=load_providers(),
        selectors=tuple(dict.fromkeys(selector.strip().lower() for selector in options["selectors"])),
        said=said,
        second_opinion=options["second_opinion"],
        told={key: options[key] for key in _TOLD if options[key] not in (None, ())},
    )


_TOLD: Final = ("policies", "mailing_lists", "sends", "receives")
"""Options that change what is found in the same answers; kept with the evidence."""


def choose_renderer(form: str, language: str, *, single: bool, to_file: bool) -> Renderer:
    """The renderer for a form of output."""
    if form == "json":
        from mailguard.render.data import Json

        return Json(single=single)
    if form == "ndjson":
        from mailguard.render.data import Ndjson

        return Ndjson()
    if form == "csv":
        from mailguard.render.data import Csv

        return Csv()
    if form == "sarif":
        from mailguard.render.sarif import Sarif

        return Sarif(language)
    if form == "markdown":
        from mailguard.render.markdown import Markdown

        return Markdown(language)
    from mailguard.cli.console import terminal

    return terminal(language, to_file=to_file)


async def run_audits(run: Run) -> None:
    """Audit everything, showing each result as it comes. Raises OperationError where our own disk fails."""
    from mailguard.cli.console import Progress

    with ExitStack() as stack:
        # Entered first, left last: an interruption still closes the output properly.
        output: Output = run.output
        stack.enter_context(output)
        writer = stack.enter_context(_evidence_writer(run.evidence))
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
    for evidence in _chosen(run, done):
        # What this run is told goes before what that run was told.
        told = {key: value for key, value in evidence.options.items() if key in _TOLD}
        plan = _plan({**run.options, **told, **run.plan.told}) if told else run.plan
        try:
            yield replay_audit(evidence, plan)
        except Exception as error:
            yield Failed(evidence.domain, error)
        await asyncio.sleep(0)  # so that Ctrl-C is heard


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
        message = say("{file} has no evidence about {domain}.")
        raise UsageError(message.format(file=run.replay, domain=", ".join(lost)))


class _EvidenceFile:
    """The evidence file of a run, opened at once so that a wrong path is told before anything is asked."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stream: TextIO

    def __enter__(self) -> EvidenceWriter:
        try:
            self._stream = self._path.open("w", encoding="utf-8")
        except OSError as error:
            message = say("{file} cannot be written ({reason}); check the path.")
            raise UsageError(message.format(file=self._path, reason=error.strerror)) from error
        return EvidenceWriter(self._stream, f"mailguard {__version__}")

    def __exit__(self, *_: object) -> None:
        try:
            self._stream.close()
        except OSError as error:
            raise OperationError(f"{self._path} cannot be written: {error.strerror}.") from error


def _evidence_writer(path: Path | None) -> AbstractContextManager[EvidenceWriter | None]:
    return _EvidenceFile(path) if path else nullcontext(None)


def _tell_failure(failed: Failed[DomainName]) -> None:
    message = say("{domain}: mailguard itself failed ({error}); the other domains go on. Please report this.")
    click.echo(f"mailguard: {message.format(domain=failed.item, error=repr(failed.error))}", err=True)
    if sys.flags.dev_mode:
        traceback.print_exception(failed.error)
