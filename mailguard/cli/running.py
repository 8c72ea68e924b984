"""Carrying out one run of ``mailguard audit``: from what was asked for to what was shown."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TextIO

import click

from mailguard import __version__
from mailguard.audit import Plan
from mailguard.bulk import Failed
from mailguard.cli.auditing import asked, make_plan, replayed, tell_failure
from mailguard.cli.console import speaks_unicode
from mailguard.cli.exits import WRONG_USE, Outcome
from mailguard.cli.gather import gather
from mailguard.cli.options import resolver_settings
from mailguard.cli.output import FileOutput, Renderer, StandardOutput, cut_to_whole_lines, not_opened, unwritable
from mailguard.cli.speaking import say
from mailguard.dossier import MailingLists
from mailguard.errors import OperationError, UsageError
from mailguard.evidence import Evidence
from mailguard.evidence.files import EvidenceWriter
from mailguard.names import DomainName
from mailguard.render.document import to_document
from mailguard.resolver import ResolverSettings
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
        plan = make_plan(options)
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
        if run.replay:
            results = replayed(run.replay, run.domains, run.plan, run.options, done=output.done)
        else:
            results = asked(wanted, run.plan, run.settings, run.jobs)
        async for result in results:
            if isinstance(result, Failed):
                tell_failure(result)
                run.outcome.our_failure = True
            else:
                document = to_document(result)
                if writer:
                    writer.add(result.evidence)
                with progress.aside():
                    output.add(document)
                run.outcome.count(document, run.fail_on)
            progress.advance()


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
        except OSError as error:
            raise not_opened(self._path, error) from error
        try:
            made_by = None if goes_on and self._path.stat().st_size else f"mailguard {__version__}"
            self._writer = EvidenceWriter(self._stream, made_by)
        except OSError as error:
            with suppress(OSError):
                self._stream.close()
            raise not_opened(self._path, error) from error
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
