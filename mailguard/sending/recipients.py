"""Who gets a guide: a CSV that came from a spreadsheet. Touches no disk.

::

    domain,email,name,clinic,language,opt_out,consent
    midori.example.jp,info@midori.example.jp,山田太郎,みどり病院,ja,,2026年10月1日の申込書

UTF-8, CP932 or UTF-16, with or without BOM; the first line names the columns, in English or Japanese, in any order.
Every line is checked before the first mail goes out, and what is wrong is told with the number of its line. One bad
line stops all: half a list is not what was meant.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Final

from mailguard.errors import Sentence
from mailguard.names import DomainName
from mailguard.sending.address import parse_address
from mailguard.targets import TargetError, parse_target
from mailguard.words import LANGUAGES

MAX_BYTES: Final = 10_000_000
MAX_LINES: Final = 100_000
MAX_CELL: Final = 500
"""Characters of one cell; a longer one is no name."""

_COLUMNS: Final = {
    "domain": ("domain", "ドメイン"),
    "email": ("email", "e-mail", "mail", "メール", "メールアドレス", "宛先"),
    "name": ("name", "氏名", "お名前", "担当者"),
    "clinic": ("clinic", "施設名", "医療機関名", "病院名"),
    "language": ("language", "lang", "言語"),
    "opt_out": ("opt_out", "opt-out", "受信拒否", "配信停止"),
    "consent": ("consent", "同意", "同意の根拠", "根拠"),
}
_WANTED: Final = ("domain", "email")
_YES: Final = frozenset({"yes", "y", "1", "true", "x", "○", "◯", "はい", "有", "済", "拒否", "停止"})
_NO: Final = frozenset({"", "no", "n", "0", "false", "-", "×", "いいえ", "無", "なし"})


@dataclass(frozen=True, slots=True)
class Recipient:
    """One line. ``consent`` is on what ground this recipient may be written to, in the sender's words."""

    line: int
    domain: DomainName
    email: str
    name: str = ""
    clinic: str = ""
    language: str = "ja"
    opt_out: bool = False
    consent: str = ""

    @property
    def fingerprint(self) -> str:
        """What of the line a recipient sees: a message made of another one is not sent."""
        told = repr((self.domain, self.email, self.name, self.clinic, self.language, self.consent))
        return hashlib.sha256(told.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class RecipientList:
    """A list as it was understood. With ``problems`` nothing of it should be sent."""

    recipients: tuple[Recipient, ...]
    problems: tuple[Sentence, ...]


def read_recipients(content: bytes, file: str, *, advertising: bool) -> RecipientList:
    """Read a list. Never raises for what stands in it. Where mails advertise, every line has to say on what ground."""
    if len(content) > MAX_BYTES:
        return RecipientList((), (Sentence("{file} is larger than {limit} bytes.", file=file, limit=MAX_BYTES),))
    text = _decoded(content)
    if text is None:
        return RecipientList((), (Sentence("{file} is neither UTF-8 nor CP932 text.", file=file),))
    return _Reading(file, advertising).read(text)


def _decoded(content: bytes) -> str | None:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings: tuple[str, ...] = ("utf-16",)
    else:
        encodings = ("utf-8-sig", "cp932")
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


class _Reading:
    def __init__(self, file: str, advertising: bool) -> None:
        self._file = file
        self._advertising = advertising
        self._problems: list[Sentence] = []
        self._lines: dict[tuple[str, str], int] = {}

    def read(self, text: str) -> RecipientList:
        rows = self._rows(text)
        columns = self._columns(next(rows, (1, ()))[1])
        found = tuple(self._recipients(rows, columns)) if columns else ()
        if columns and not (found or self._problems):
            self._problems.append(Sentence("{file} names no recipient.", file=self._file))
        return RecipientList(found, tuple(self._problems))

    def _rows(self, text: str) -> Iterator[tuple[int, Sequence[str]]]:
        """Rows that are not empty, with the number of the line in which each begins."""
        head = text.lstrip("\r\n").partition("\n")[0]
        delimiter = "\t" if "\t" in head else ";" if ";" in head and "," not in head else ","
        reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
        begun = 1
        try:
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    yield begun, tuple(cell.strip() for cell in cells)
                begun = reader.line_num + 1
                if begun > MAX_LINES:
                    self._problems.append(
                        Sentence("{file} has more than {limit} lines.", file=self._file, limit=MAX_LINES)
                    )
                    return
        except csv.Error:
            self._tell(begun, Sentence("the quotation marks do not match"))

    def _columns(self, head: Sequence[str]) -> dict[str, int]:
        known = {spelling: key for key, spellings in _COLUMNS.items() for spelling in spellings}
        names = [cell.strip().lower() for cell in head]
        for name in names:
            if name and name not in known:
                reason = Sentence(
                    "the column {name} is not known; known are {known}", name=repr(name[:80]), known=", ".join(_COLUMNS)
                )
                self._tell(1, reason)
        columns = {known[name]: place for place, name in enumerate(names) if name in known}
        if missing := [key for key in _WANTED if key not in columns]:
            self._tell(1, Sentence("the column {name} is missing", name=missing[0]))
        if len(columns) < sum(name in known for name in names):
            self._tell(1, Sentence("a column stands there twice"))
        return {} if self._problems else columns

    def _recipients(self, rows: Iterator[tuple[int, Sequence[str]]], columns: dict[str, int]) -> Iterator[Recipient]:
        for line, cells in rows:
            values = {key: cells[place] if place < len(cells) else "" for key, place in columns.items()}
            if len(cells) > max(columns.values()) + 1 and any(cells[max(columns.values()) + 1 :]):
                self._tell(line, Sentence("there are more cells than columns; put texts with commas into quotes"))
            elif long := [key for key, value in values.items() if len(value) > MAX_CELL]:
                self._tell(line, Sentence("{column} has more than {limit} characters", column=long[0], limit=MAX_CELL))
            elif recipient := self._recipient(line, values):
                yield recipient

    def _recipient(self, line: int, values: dict[str, str]) -> Recipient | None:
        before = len(self._problems)
        domain, email = self._domain(line, values["domain"]), self._email(line, values["email"])
        language = values.get("language", "").lower() or "ja"
        if language not in LANGUAGES:
            self._tell(line, Sentence("the language is wanted as one of {known}", known=", ".join(LANGUAGES)))
        refused, consent = values.get("opt_out", "").lower(), values.get("consent", "")
        if refused not in _YES | _NO:
            self._tell(line, Sentence("opt_out is wanted as yes or no, not {text}", text=repr(refused[:80])))
        if self._advertising and consent.lower() in _NO and refused not in _YES:
            self._tell(
                line, Sentence("consent is empty; where mails advertise, it says on what ground this one is sent")
            )
        if domain and email:
            self._check_once(line, domain, email)
        if domain is None or len(self._problems) > before:
            return None
        names = values.get("name", ""), values.get("clinic", "")
        return Recipient(line, domain, email, *names, language, refused in _YES, consent)

    def _domain(self, line: int, text: str) -> DomainName | None:
        try:
            return parse_target(text).domain
        except TargetError as error:
            told = "{file}, line {line}: {told}"
            self._problems.append(Sentence(told, file=self._file, line=line, told=error.sentence))
            return None

    def _email(self, line: int, text: str) -> str:
        address = parse_address(text)
        if not address:
            reason = Sentence("{text} is no mail address that can be written to", text=repr(text[:80]))
            self._tell(line, reason)
        return address

    def _check_once(self, line: int, domain: DomainName, email: str) -> None:
        first = self._lines.setdefault((domain, email.lower()), line)
        if first != line:
            self._tell(line, Sentence("the same domain and address stand in line {first} too", first=first))

    def _tell(self, line: int, reason: Sentence) -> None:
        told = "{file}, line {line}: {reason}."
        self._problems.append(Sentence(told, file=self._file, line=line, reason=reason))
