"""``mailguard ingest``: read reports that lie in files, and store them."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from mailguard.cli.exits import FINDINGS, INTERRUPTED, OK
from mailguard.cli.options import chosen_trust, lang_option, resolver_options, trust_options
from mailguard.cli.speaking import SpokenCommand, say
from mailguard.errors import Sentence

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailguard.worker.document import Document
    from mailguard.worker.filer import Archive
    from mailguard.worker.ingest import IngestSettings

FORMATS: Final = ("text", "json", "ndjson")
DEFAULT_DATABASE: Final = "mailguard.db"

_OUTCOMES: Final = {
    "stored": Sentence("stored"),
    "duplicate": Sentence("already there"),
    "conflict": Sentence("contradicts a report that is already there"),
    "quarantined": Sentence("could not be read"),
    "ignored": Sentence("nothing to store"),
}
_WOULD_BE: Final = Sentence("would be stored")
_NO_MAIL: Final = ("unknown", "no-file")


@click.command(cls=SpokenCommand)
@click.argument("paths", nargs=-1, metavar="PATH...")
@click.option("--dry-run", is_flag=True, help="Store nothing; say what would happen.")
@click.option("--config", metavar="FILE", help="Take database and domains from this settings file.")
@click.option("--database", metavar="URL|PATH", help="Where to store; without it, mailguard.db in this folder.")
@trust_options
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="Form of the output."
)
@resolver_options
@lang_option
@click.pass_context
def ingest(ctx: click.Context, /, **options: Any) -> None:
    """Read DMARC and TLS reports from mails and files, and store them.

    PATH is a mail, a report (XML, JSON, gzip, zip), an mbox, a Maildir or a folder; - is standard input.

    Exit codes: 0 everything was read, 1 something could not be read or, named by you, is neither a mail nor a report,
    2 wrong use, 4 our own failure, 130 interrupted.
    """
    from mailguard.errors import OperationError

    _check_paths(options["paths"])
    run = _Run(options)
    try:
        asyncio.run(run.go())
    except OperationError:
        run.output.close()
        raise
    except KeyboardInterrupt:
        run.output.close()
        click.echo(f"mailguard: {say('Interrupted. What was told is stored; to go on, run the same again.')}", err=True)
        ctx.exit(INTERRUPTED)
    ctx.exit(FINDINGS if run.output.counts["quarantined"] or run.in_part or run.named_in_vain else OK)


def _check_paths(paths: Sequence[str]) -> None:
    if not paths:
        raise click.UsageError(say("Name a file or a folder, or - for standard input."))
    for path in paths:
        if path != "-" and not os.path.lexists(path):
            raise click.UsageError(say("{path} does not exist; check the path.").format(path=path))


class _Run:
    """One run: everything that was asked for, understood."""

    def __init__(self, options: dict[str, Any]) -> None:
        from mailguard.feedback.limits import DEFAULT_LIMITS
        from mailguard.store.place import check_place

        self._options = options
        self._trust = chosen_trust(options)
        settings = self._trust.settings
        self._mail_bytes = settings.mail_bytes if settings else DEFAULT_LIMITS.mail_bytes
        self._place = str(options["database"] or (settings.database.place() if settings else DEFAULT_DATABASE))
        check_place(self._place)
        single = len(options["paths"]) == 1 and not Path(options["paths"][0]).is_dir()
        self.in_part = False
        self.output = _OUTPUTS[options["form"]](single, trial=options["dry_run"])
        self.named_in_vain = False
        """Whether something that was named, and did not just lie in a folder, is neither a mail nor a report."""

    async def go(self) -> None:
        """Read, store and tell."""
        from mailguard.sources.files import Bounds, NotRead, read_sources
        from mailguard.worker.document import from_handled, from_not_read
        from mailguard.worker.handling import Handled
        from mailguard.worker.ingest import ingest as handle_all

        sources = read_sources(self._options["paths"], sys.stdin.buffer, Bounds(self._mail_bytes))
        async with aclosing(handle_all(sources, self._opener(), self._ingest_settings())) as results:
            async for result in results:
                if isinstance(result, NotRead):
                    self.named_in_vain |= result.reason in _NO_MAIL and result.origin in self._options["paths"]
                    self.output.add(from_not_read(result))
                else:
                    self.output.add(from_handled(result))
                self.in_part = self.in_part or (isinstance(result, Handled) and result.is_in_part)
        self.output.close()

    def _ingest_settings(self) -> IngestSettings:
        from mailguard.feedback.limits import DEFAULT_LIMITS
        from mailguard.worker.ingest import IngestSettings
        from mailguard.worker.wire import ReadingSettings

        settings = self._trust.settings
        return IngestSettings(
            reading=ReadingSettings(
                DEFAULT_LIMITS.with_mails_of(self._mail_bytes),
                trusted_hosts=self._trust.hosts,
                failure_reports=settings is not None and settings.reports.failure,
            ),
            resolver=self._trust.resolver,
            owned=self._trust.owned,
            known=self._trust.known,
            processes=min(4, os.cpu_count() or 1),
        )

    def _opener(self) -> Callable[[], Archive]:
        from mailguard.store import open_store
        from mailguard.worker.preview import Preview, open_existing

        place = self._place
        if self._options["dry_run"]:
            return lambda: Preview(lambda folder: open_existing(place, folder))
        return lambda: open_store(place)


class _Output(ABC):
    """What every form of output does: counts outcomes, and tells sentences in the user's language."""

    def __init__(self, single: bool, *, trial: bool) -> None:
        self.counts: Counter[str] = Counter()
        self._single = single
        self._trial = trial
        self._closed = False
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="replace")

    def add(self, document: Document) -> None:
        """Show one message."""
        self.counts[document["outcome"]] += 1
        reason = document["reason"]
        self._show({**document, "reason": reason.told(say) if reason else None})

    def close(self) -> None:
        """Show what comes last, once."""
        if not self._closed:
            self._closed = True
            self._end()

    @abstractmethod
    def _show(self, document: Document) -> None:
        """One message in this form."""

    def _end(self) -> None:  # noqa: B027 - a form of which each message stands alone has nothing to end
        """What comes last in this form."""


class _Text(_Output):
    def _show(self, document: Document) -> None:
        from mailguard.render.safe import visible

        words = f"{visible(document['source'])}: {self._told(document['outcome'])}"
        click.echo(words + (f" - {visible(document['reason'])}" if document["reason"] else ""))
        for report in document["reports"]:
            click.echo("  " + _line(report))

    def _end(self) -> None:
        click.echo(say("Messages: {count}").format(count=self.counts.total()))
        for outcome in _OUTCOMES:
            if self.counts[outcome]:
                click.echo(f"  {self._told(outcome)}: {self.counts[outcome]}")
        if self._trial:
            click.echo(say("This was a trial (--dry-run): nothing was stored."))

    def _told(self, outcome: str) -> str:
        return (_WOULD_BE if self._trial and outcome == "stored" else _OUTCOMES[outcome]).told(say)


class _Ndjson(_Output):
    def _show(self, document: Document) -> None:
        click.echo(json.dumps(document, ensure_ascii=False, separators=(",", ":")))


class _Json(_Output):
    """One object for a single file with a single message, else an array."""

    def __init__(self, single: bool, *, trial: bool) -> None:
        super().__init__(single, trial=trial)
        self._first: Document | None = None
        self._opened = False

    def _show(self, document: Document) -> None:
        if self._single and self._first is None and not self._opened:
            self._first = document  # perhaps the only one
            return
        if self._first is not None:
            first, self._first = self._first, None
            self._item(first)
        self._item(document)

    def _end(self) -> None:
        if self._first is not None:
            click.echo(json.dumps(self._first, ensure_ascii=False, indent=2))
        else:
            click.echo("\n]" if self._opened else "[]")

    def _item(self, document: Document) -> None:
        click.echo(",\n" if self._opened else "[\n", nl=False)
        self._opened = True
        click.echo(json.dumps(document, ensure_ascii=False, indent=2), nl=False)


_OUTPUTS: Final[dict[str, type[_Output]]] = {"text": _Text, "json": _Json, "ndjson": _Ndjson}


def _line(report: Document) -> str:
    from mailguard.render.inspection import period_in_words, title_in_words
    from mailguard.render.trusting import grade_in_words

    records = say("records: {kept} of {read}").format(kept=report["records_kept"], read=report["records_read"])
    words = [
        title_in_words(report["org_name"], report["policy_domain"], say),
        period_in_words(report, say),
        records,
        *([grade_in_words(report["trust"], say)] if report["trust"] else []),
        *([say("to be looked at: {count}").format(count=len(report["defects"]))] if report["defects"] else []),
    ]
    return " - ".join(words)
