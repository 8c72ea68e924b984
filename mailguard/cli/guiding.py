"""Carrying out one run of ``mailguard guide``: from domains to cases, books, and files."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from mailguard.bulk import Failed
from mailguard.cli.archive import Archive
from mailguard.cli.auditing import asked, make_plan, replayed, tell_failure
from mailguard.cli.exits import WRONG_USE, Outcome
from mailguard.cli.gather import gather
from mailguard.cli.options import resolver_settings
from mailguard.cli.output import unwritable
from mailguard.cli.speaking import say
from mailguard.errors import OperationError, UsageError
from mailguard.guidebook.blocks import Book, Reader
from mailguard.guidebook.book import make_book
from mailguard.guidebook.brand import Brand, load_brand
from mailguard.guidebook.case import Case, Clinic, Document
from mailguard.names import DomainName
from mailguard.render.document import SCHEMA, to_document
from mailguard.render.forms import BINARY, render

if TYPE_CHECKING:
    from mailguard.evidence import Evidence

MAX_AUDITS_BYTES: Final = 2**30
"""Most of a file of saved audits that is read; a thousand audits are some 30 MB."""


@dataclass(slots=True)
class Guiding:
    """One run, ready to go."""

    options: Mapping[str, Any]
    domains: list[DomainName]
    brand: Brand
    language: str
    readers: tuple[Reader, ...]
    forms: tuple[str, ...]
    target: Target
    outcome: Outcome
    made_at: datetime

    @classmethod
    def prepare(cls, options: dict[str, Any], language: str, outcome: Outcome, *, books: int = 0) -> Guiding:
        """Understand the options. ``books``: how many books will be made, where that is not one for each domain.

        Raises click.UsageError or UsageError for what cannot be done.
        """
        gathered = gather(options["domains"], options["files"])
        outcome.wrong_use |= gathered.faulty
        if gathered.faulty and not gathered.domains:
            raise click.exceptions.Exit(WRONG_USE)  # what is wrong has been told
        if not (gathered.domains or options["audits"] or options["replay"]):
            raise click.UsageError(say("Name a domain, for example: mailguard guide clinic.example.jp -o guide.html"))
        forms = tuple(dict.fromkeys(options["forms"]))
        single = (books or len(gathered.domains)) == 1 and len(forms) == 1 and forms[0] != "docx"
        return cls(
            options=options,
            domains=gathered.domains,
            brand=load_brand(Path(options["brand"])) if options["brand"] else Brand(),
            language=language,
            readers=_readers(options["readers"]),
            forms=forms,
            target=Target.prepare(options["output"], forms, single=single),
            outcome=outcome,
            made_at=datetime.now(UTC),
        )


def _readers(chosen: tuple[str, ...]) -> tuple[Reader, ...]:
    return tuple(Reader) if "all" in chosen else tuple(Reader(one) for one in dict.fromkeys(chosen))


@dataclass(frozen=True, slots=True)
class Target:
    """Where guides go: ``file``, or a ``folder`` with a file for each guide and form, or else standard output."""

    file: Path | None = None
    folder: Path | None = None

    @classmethod
    def prepare(cls, output: str | None, forms: tuple[str, ...], *, single: bool) -> Target:
        """Raises UsageError where the forms cannot go to that place."""
        if output is None or output == "-":
            if not single or forms[0] in BINARY:
                told = "{forms} needs -o: a file for one guide, or a folder."
                raise UsageError(told, forms=", ".join(forms) if single else say("More than one file"))
            return cls()
        path = Path(output)
        if single and not path.is_dir() and not output.endswith(os.sep):
            return cls(file=path)
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(unwritable(path, error)) from error
        return cls(folder=path)

    def put(self, domain: str, suffix: str, content: bytes) -> Path | None:
        """Write one file, whole or not at all. Raises OperationError where the disk fails."""
        path = self.file or (self.folder / f"{domain}{suffix}" if self.folder else None)
        if path is None:
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()
            return None
        fresh = path.with_name(f".{path.name}.new")
        try:
            fresh.write_bytes(content)
            os.replace(fresh, path)
        except OSError as error:
            raise OperationError(unwritable(path, error)) from error
        return path


async def make_guides(run: Guiding) -> None:
    """Make every guide as its audit comes, and say where it is. Raises OperationError where our own disk fails."""
    with Archive.open(run.options) as archive:
        async for case in _cases(run, archive):
            book = make_book(case, run.language, readers=run.readers, furigana=run.options["furigana"])
            for path in _write(run, book, case.document["domain"]):
                click.echo(say("{domain}: {file}").format(domain=case.domain, file=path), err=True)
            archive.keep(case.document)
            run.outcome.count(case.document, None)


async def make_portfolio_report(run: Guiding) -> None:
    """Make one report over all domains. Raises OperationError where our own disk fails."""
    from mailguard.guidebook.book import make_portfolio_book
    from mailguard.guidebook.portfolio import make_portfolio

    cases = []
    with Archive.open(run.options) as archive:
        async for case in _cases(run, archive):
            cases.append(case)
            archive.keep(case.document)
            run.outcome.count(case.document, None)
    if not cases:
        raise UsageError("There is no audit to report on.")
    found = make_portfolio(cases, hidden=run.options["hide_names"])
    book = make_portfolio_book(
        found, run.language, pages=run.options["pages"], furigana=run.options["furigana"], imprint=cases[0].imprint
    )
    for path in _write(run, book, "portfolio"):
        click.echo(say("{count} domains: {file}").format(count=len(cases), file=path), err=True)


def _write(run: Guiding, book: Book, domain: str) -> Iterator[Path]:
    for form in run.forms:
        for suffix, content in render(form, book, run.brand, font=run.options["font"]):
            path = run.target.put(domain, suffix, content)
            if path:
                yield path


async def _cases(run: Guiding, archive: Archive) -> AsyncIterator[Case]:
    knowledge = make_plan(run.options).knowledge
    async for document, evidence in _documents(run, archive):
        domain = document["domain"]
        yield Case(
            document=document,
            evidence=evidence,
            made_at=run.made_at,
            knowledge=knowledge,
            traffic=archive.traffic(domain, run.made_at, run.options["days"], knowledge),
            previous=_previous(run.options["since"], archive, domain, document["as_of"]),
            clinic=Clinic(name=run.options["clinic"]),
            imprint=run.brand.imprint(run.language),
            due=run.options["due"].date() if run.options["due"] else None,
        )


async def _documents(run: Guiding, archive: Archive) -> AsyncIterator[tuple[Document, Evidence | None]]:
    options = run.options
    if options["audits"]:
        for document in read_audits(Path(options["audits"])):
            if not run.domains or document["domain"] in {str(domain) for domain in run.domains}:
                yield document, None
        return
    plan = make_plan(options, reported=archive.selectors(run.domains, run.made_at, options["days"]))
    if options["replay"]:
        results = replayed(Path(options["replay"]), run.domains, plan, options)
    else:
        settings = resolver_settings(options["nameservers"], options["timeout"])
        results = asked(run.domains, plan, settings, options["jobs"])
    async for result in results:
        if isinstance(result, Failed):
            tell_failure(result)
            run.outcome.our_failure = True
        else:
            yield to_document(result), result.evidence


def read_audits(path: Path) -> Iterator[Document]:
    """Audits that ``mailguard audit --format json|ndjson`` wrote. Raises UsageError for anything else."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_AUDITS_BYTES + 1)
    except OSError as error:
        raise UsageError(
            "{file} cannot be read ({reason}); check the path.", file=path, reason=error.strerror
        ) from error
    try:
        yield from map(_checked, _split(content))
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        told = "{file} holds no audits; make it with: mailguard audit --format json -o FILE DOMAIN"
        raise UsageError(told, file=path) from error


def _split(content: bytes) -> Iterator[Any]:
    if content.lstrip()[:1] == b"[":
        yield from json.loads(content)
    elif b"\n{" in content.strip():
        yield from map(json.loads, content.splitlines())
    else:
        yield json.loads(content)


def _checked(document: Any) -> Document:
    if document["schema"] != SCHEMA:
        raise ValueError(document["schema"])
    return dict(document)


def _previous(since: str | None, archive: Archive, domain: str, as_of: str) -> Document | None:
    if since is None:
        return None
    now = datetime.fromisoformat(as_of)
    if since == "last":
        return archive.audit_before(domain, now)
    try:
        day = date.fromisoformat(since)
    except ValueError:
        return next((one for one in read_audits(Path(since)) if one["domain"] == domain), None)
    end_of_day = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    return archive.audit_before(domain, min(now, end_of_day))
