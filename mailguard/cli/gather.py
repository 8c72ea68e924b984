"""Collecting the domains that a user named, and saying what was understood otherwise than typed."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import click

from mailguard.cli.speaking import say
from mailguard.errors import UsageError, system_reason
from mailguard.names import DomainName
from mailguard.render.safe import visible
from mailguard.targets import MAX_LIST_BYTES, MESSAGES, Said, Target, TargetError, parse_list, parse_target

_SAID: Final = {
    Said.URL: "an address of a web page was taken as its domain",
    Said.WWW: "the www. of a web server was left out, because mail has the name without it",
    Said.PORT: "the port was left out",
    Said.MAIL_ADDRESS: "of a mail address the part after the @ was taken",
    Said.FULL_WIDTH: "full-width characters were read as ordinary ones",
    Said.RECORD_NAME: "of the name of a record the domain was taken",
    Said.LEADING_DOT: "the dot at the beginning was left out",
    Said.TRAILING_DOT: "",  # quite usual among people who know DNS; not worth a word
    Said.U_LABEL: "a name in Japanese or another script was taken in its DNS form",
    Said.UPPER_CASE: "",
}


@dataclass(slots=True)
class Gathered:
    """The domains to audit, each once, and whether some text could not be understood."""

    domains: list[DomainName] = field(default_factory=list)
    faulty: bool = False


def gather(arguments: Sequence[str], files: Iterable[str]) -> Gathered:
    """Domains from arguments and list files (``-`` is standard input). What goes wrong is told on standard error."""
    gathered = Gathered()
    found: dict[DomainName, None] = {}
    for text in arguments:
        try:
            target = parse_target(text)
        except TargetError as error:
            gathered.faulty = True
            _tell(error.told(say))
            continue
        _tell_said(target)
        found.setdefault(target.domain)
    for name in files:
        result = parse_list(_read(name), _shown(name))
        for problem in result.problems:
            gathered.faulty = True
            _tell(problem.sentence.told(say))
        for target in result.targets:
            _tell_said(target)
            found.setdefault(target.domain)
        if not (result.targets or result.problems):
            gathered.faulty = True
            _tell(say("{file} names no domain.").format(file=_shown(name)))
    gathered.domains = list(found)
    return gathered


def _read(name: str) -> bytes:
    try:
        if name == "-":
            return sys.stdin.buffer.read(MAX_LIST_BYTES + 1)
        with Path(name).open("rb") as file:
            return file.read(MAX_LIST_BYTES + 1)
    except OSError as error:
        told = "{file} cannot be read ({reason}); check the path."
        raise UsageError(told, file=name, reason=system_reason(error)) from error


def _shown(name: str) -> str:
    return say("standard input") if name == "-" else name


def _tell_said(target: Target) -> None:
    words = [say(_SAID[said]) for said in target.said if _SAID[said]]
    if words:
        _tell(f"{visible(target.given)} → {target.domain} ({', '.join(words)})")


def _tell(text: str) -> None:
    click.echo(f"mailguard: {text}", err=True)


def all_texts() -> list[str]:
    """Every English text of the tables, for the catalogue."""
    return sorted({*_SAID.values(), *MESSAGES.values()} - {""})
