"""Carrying out one run of ``mailguard guide``: from domains to cases, books, and files."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from mailguard.bulk import Failed
from mailguard.cli.archive import Archive
from mailguard.cli.auditing import asked, make_plan, replayed, tell_failure
from mailguard.cli.exits import WRONG_USE, Outcome
from mailguard.cli.gather import gather
from mailguard.cli.options import resolver_settings
from mailguard.cli.output import not_opened, unwritable
from mailguard.cli.saved import read_audits
from mailguard.cli.speaking import say
from mailguard.errors import Sentence, UsageError
from mailguard.guidebook.blocks import Book, Reader
from mailguard.guidebook.book import make_book, only
from mailguard.guidebook.brand import Brand, load_brand
from mailguard.guidebook.case import Case, Clinic, Document
from mailguard.guidebook.days import in_japan
from mailguard.names import DomainName
from mailguard.render.document import to_document
from mailguard.render.forms import BINARY, render

if TYPE_CHECKING:
    from mailguard.evidence import Evidence

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}")

_NOTHING: Final = {
    "docx": Sentence("{domain}: there is no letter to write, or not for these readers."),
    "xlsx": Sentence("{domain}: no check sheet is written, since these readers have none (--for it does)."),
}
"""What is said where a form has nothing to hold."""

_FILES: Final = frozenset({".html", ".pdf", ".md", ".txt", ".json", ".eml", ".docx", ".xlsx"})


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
    saved: list[Document] | None = None

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
        if options["audits"] and options["replay"]:
            raise click.UsageError(say("Use either --audits or --replay, not both."))
        saved = _saved(options["audits"], gathered.domains) if options["audits"] else None
        forms = tuple(dict.fromkeys(options["forms"]))
        count = books or len(gathered.domains if saved is None else saved) or _at_least(Path(options["replay"]))
        single = count == 1 and len(forms) == 1 and forms[0] != "docx"
        return cls(
            options=options,
            domains=gathered.domains,
            brand=load_brand(Path(options["brand"])) if options["brand"] else Brand(),
            language=language,
            readers=_readers(options["readers"]),
            forms=forms,
            target=Target.prepare(options["output"], forms, single=single),
            outcome=outcome,
            made_at=_not_due_before(datetime.now(UTC), options["due"]),
            saved=saved,
        )


def _not_due_before(now: datetime, due: datetime | None) -> datetime:
    """The time of this run. Raises UsageError for a first step that would be due before it, as days go in Japan."""
    if due is not None and due.date() < in_japan(now):
        raise UsageError("--due {day} is past; name a day from today on.", day=due.date())
    return now


def _saved(file: str, domains: list[DomainName]) -> list[Document]:
    """The audits in a file, or those of the domains that were named, all of which have to be there."""
    found = read_audits(Path(file))
    if not domains:
        return found
    missing = set(domains) - {one["domain"] for one in found}
    if missing:
        raise UsageError("{file} has no audit of {domain}.", file=file, domain=", ".join(sorted(missing)))
    return [one for one in found if one["domain"] in domains]


def _at_least(evidence: Path) -> int:
    """How many domains there is evidence of; 2 stands for more. Raises EvidenceError where there is none."""
    from mailguard.evidence.files import load_evidence

    return len({one.domain for one in islice(load_evidence(evidence), 2)})


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
            # The file will be replaced by another one: what is no ordinary file, such as /dev/null, must never be.
            if path.exists() and not path.is_file():
                raise UsageError("{file} is no ordinary file; name another one.", file=path)
            return cls(file=path)
        if path.suffix in _FILES and not path.exists():
            raise UsageError("{file} is the name of one file, but there will be several; name a folder.", file=path)
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
            raise not_opened(path, error) from error
        return path


async def make_guides(run: Guiding) -> None:
    """Make every guide as its audit comes, and say where it is. Raises OperationError where our own disk fails."""
    with Archive.open(run.options) as archive:
        async for case in _cases(run, archive):
            book = make_book(case, run.language, readers=run.readers, furigana=run.options["furigana"])
            if run.options["parts"]:
                book = only(book, *run.options["parts"])
            for path in _write(run, book, case.document["domain"]):
                click.echo(say("{domain}: {file}").format(domain=case.domain, file=path), err=True)
            archive.keep(case.document)
            run.outcome.count(case.document, None)


async def make_portfolio_report(run: Guiding) -> None:
    """Make one report over all domains. Raises OperationError where our own disk fails."""
    from mailguard.guidebook.book import make_portfolio_book
    from mailguard.guidebook.portfolio import make_portfolio

    cases, key = [], b""
    with Archive.open(run.options) as archive:
        async for case in _cases(run, archive):
            cases.append(case)
            archive.keep(case.document)
            run.outcome.count(case.document, None)
        if run.options["hide_names"] and cases:
            key = archive.numbering_key()
    if not cases:
        raise UsageError("There is no audit to report on.")
    found = make_portfolio(cases, key=key)
    book = make_portfolio_book(
        found, run.language, pages=run.options["pages"], furigana=run.options["furigana"], imprint=cases[0].imprint
    )
    for path in _write(run, book, "portfolio"):
        click.echo(say("{count} domains: {file}").format(count=len(cases), file=path), err=True)


def _write(run: Guiding, book: Book, domain: str) -> Iterator[Path]:
    for form in run.forms:
        made = False
        for suffix, content in render(form, book, run.brand, font=run.options["font"]):
            made = True
            path = run.target.put(domain, suffix, content)
            if path:
                yield path
        if not made:
            click.echo(_NOTHING[form].told(say).format(domain=book.domain), err=True)


async def _cases(run: Guiding, archive: Archive) -> AsyncIterator[Case]:
    earlier = Earlier.prepare(run.options["since"], archive)
    knowledge = make_plan(run.options).knowledge
    async for document, evidence in _documents(run, archive):
        domain = document["domain"]
        yield Case(
            document=document,
            evidence=evidence,
            made_at=run.made_at,
            knowledge=knowledge,
            traffic=archive.traffic(domain, run.made_at, run.options["days"], knowledge),
            previous=earlier.of(document, archive) if earlier else None,
            clinic=Clinic(name=run.options["clinic"]),
            imprint=run.brand.imprint(run.language),
            due=run.options["due"].date() if run.options["due"] else None,
        )


async def _documents(run: Guiding, archive: Archive) -> AsyncIterator[tuple[Document, Evidence | None]]:
    options = run.options
    if run.saved is not None:
        for document in run.saved:
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


@dataclass(frozen=True, slots=True)
class Earlier:
    """Where the audits to compare with are: kept in the database, up to ``until`` or the last; or in a file."""

    until: datetime | None = None
    saved: Mapping[str, Document] | None = None

    @classmethod
    def prepare(cls, since: str | None, archive: Archive) -> Earlier | None:
        """Raises UsageError for a file without audits, or where nothing is kept anywhere."""
        if since is None:
            return None
        day = None if since == "last" else _day(since)
        if day is None and _DAY.fullmatch(since) and not Path(since).exists():
            raise UsageError("--since {since}: there is no such day; write it as 2026-11-22.", since=since)
        if since != "last" and day is None:
            return cls(saved={one["domain"]: one for one in read_audits(Path(since))})
        if not archive.there:
            raise UsageError("--since {since} needs the database that audits are kept in: --database PATH", since=since)
        return cls(until=day)

    def of(self, document: Document, archive: Archive) -> Document | None:
        """The audit to compare with; None, and a word about it, where there is none."""
        domain, moment = document["domain"], datetime.fromisoformat(document["as_of"])
        if self.saved is not None:
            found = self.saved.get(domain)
            # What came after is not what was before: all that got worse since would be told as solved.
            if found is not None and datetime.fromisoformat(found["as_of"]) > moment:
                found = None
        else:
            found = archive.audit_before(domain, min(moment, self.until or moment))
        if found is None:
            told = say("{domain}: there is no earlier audit, so nothing is said about what has changed.")
            click.echo(told.format(domain=document["domain_unicode"]), err=True)
        return found


def _day(text: str) -> datetime | None:
    """The end of a day in UTC; None for what is no date."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
