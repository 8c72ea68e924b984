"""Evidence as JSON: one line per domain (docs/evidence-format.md).

Pure. Reading judges every value: a file that was edited by hand, cut short or made up must end in one clear sentence
and never in a half-understood audit. Fields that are not known are ignored, so that a later version may add some;
anything that changes the meaning of a known field changes the format's version.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from mailguard.errors import EvidenceError, Sentence
from mailguard.evidence import Evidence, Option
from mailguard.inquiry import Answer, Mx, Question, Rdata, RRType, Status, Txt
from mailguard.names import DomainName

FORMAT: Final = "mailguard-evidence"
VERSION: Final = 1

MAX_ANSWERS: Final = 1_000
"""Answers of one domain; an audit asks at most 100 questions."""

_NAME_TYPES: Final = (RRType.CNAME, RRType.NS, RRType.PTR)
_TEXT_TYPES: Final = (RRType.TXT, RRType.SPF)

V = TypeVar("V")


def format_header(made_by: str) -> str:
    """The first line of a file. ``made_by`` is for people, for instance ``mailguard 0.1.0``."""
    return _dumps({"format": FORMAT, "version": VERSION, "made_by": made_by})


def format_evidence(evidence: Evidence) -> str:
    """One domain as one line, without the line's end."""
    return _dumps(
        {
            "domain": evidence.domain,
            "as_of": evidence.as_of.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "probe_label": evidence.probe_label,
            "selectors": evidence.selectors,
            "options": dict(evidence.options),
            "answers": [_from_answer(answer) for answer in evidence.answers],
        }
    )


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _from_answer(answer: Answer) -> dict[str, object]:
    """Fields that have nothing to say are left out."""
    said: dict[str, object] = {
        "name": answer.question.name,
        "type": answer.question.rrtype,
        "status": answer.status,
        "records": [_from_rdata(record) for record in answer.records],
        "aliases": answer.aliases,
        "ttl_s": answer.ttl_s,
        "authenticated": answer.authenticated,
        "rcode": answer.rcode,
        "server": answer.server,
        "asked_at": answer.asked_at,
        "took_ms": answer.took_ms,
        "note": answer.note,
    }
    always = ("name", "type", "status")
    return {key: value for key, value in said.items() if key in always or _says_something(value)}


def _says_something(value: object) -> bool:
    return value is not None and (value is True or value not in ("", (), [], False) or type(value) is int)


def _from_rdata(record: Rdata) -> object:
    if isinstance(record, Mx):
        return {"preference": record.preference, "exchange": record.exchange}
    if isinstance(record, Txt):
        return [_from_octets(string) for string in record.strings]
    return record


def _from_octets(octets: bytes) -> object:
    """A character-string as text, where it is UTF-8, else as its octets in hexadecimal."""
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return {"hex": octets.hex()}


def check_header(line: str) -> None:
    """Raise EvidenceError, in words that follow a file's name, unless ``line`` starts a file that we can read."""
    header = _loads(line, Sentence("it is no mailguard evidence file"))
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise EvidenceError("it is no mailguard evidence file")
    version = header.get("version")
    if version != VERSION or type(version) is not int:
        told = "it has format version {version!r}, and this mailguard reads version {known}"
        raise EvidenceError(told, version=version, known=VERSION)


def parse_evidence(line: str) -> Evidence:
    """Read one domain's line.

    Raises:
        EvidenceError: in words that follow "line N of FILE is damaged: ".
    """
    said = _Fields(_loads(line, Sentence("it is no JSON")), Sentence("the line"))
    answers = said.take("answers", list)
    if len(answers) > MAX_ANSWERS:
        raise EvidenceError("it has more than {limit:,} answers", limit=MAX_ANSWERS)
    evidence = Evidence(
        DomainName(said.take("domain", str)),
        _to_time(said.take("as_of", str)),
        said.take("probe_label", str),
        said.take_texts("selectors"),
        {key: _to_option(key, value) for key, value in said.take("options", dict, {}).items()},
        tuple(_to_answer(answer) for answer in answers),
    )
    _check_questions(evidence)
    return evidence


def _loads(line: str, otherwise: Sentence) -> Any:
    try:
        # NaN and the infinities are no JSON, though Python's reader takes them.
        return json.loads(line, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise EvidenceError(otherwise) from error


def _refuse_constant(text: str) -> None:
    raise ValueError(text)


def _check_questions(evidence: Evidence) -> None:
    seen: set[Question] = set()
    for answer in evidence.answers:
        if answer.question in seen:
            raise EvidenceError("the question {question} stands there twice", question=answer.question)
        seen.add(answer.question)


class _Fields:
    """A JSON object, and sentences about what is wrong with it."""

    def __init__(self, value: object, where: Sentence) -> None:
        if not isinstance(value, dict):
            raise EvidenceError("{where} is no JSON object", where=where)
        self._fields: Mapping[str, Any] = value
        self._where = where

    def take(self, key: str, kind: type[V], default: V | None = None) -> V:
        """The field's value, of exactly this kind; ``default`` (if any) where it is missing."""
        value = self._fields.get(key, default)
        if kind is float and type(value) is int:
            value = _to_float(value)
        if type(value) is not kind:
            if key not in self._fields:
                raise EvidenceError('"{key}" of {where} is missing', key=key, where=self._where)
            raise EvidenceError('"{key}" of {where} is no {kind}', key=key, where=self._where, kind=_KINDS[kind])
        assert isinstance(value, kind)
        if isinstance(value, str):
            _check_text(value)
        if isinstance(value, float) and not math.isfinite(value):
            raise EvidenceError("a number is out of range")
        return value

    def take_texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; none where it is missing."""
        return _to_texts(self.take(key, list, []), Sentence('"{key}" of {where}', key=key, where=self._where))

    def take_number(self, key: str) -> int | None:
        """A whole number of at least 0, or ``None`` where it is missing."""
        if self._fields.get(key) is None:
            return None
        number = self.take(key, int)
        if not 0 <= number < 2**32:
            raise EvidenceError('"{key}" of {where} is out of range', key=key, where=self._where)
        return number


_KINDS: Final[Mapping[type, Sentence]] = {
    str: Sentence("text"),
    list: Sentence("list"),
    dict: Sentence("object"),
    int: Sentence("whole number"),
    float: Sentence("number"),
    bool: Sentence("true or false"),
}


def _to_float(number: int) -> float:
    try:
        return float(number)
    except OverflowError as error:
        raise EvidenceError("a number is out of range") from error


def _check_text(text: str) -> None:
    """JSON can spell half a surrogate pair, which is no character and cannot be written again."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise EvidenceError("a text has half a character in it") from error


def _to_texts(values: list[Any], where: Sentence) -> tuple[str, ...]:
    if not all(isinstance(value, str) for value in values):
        raise EvidenceError("{where} is no list of texts", where=where)
    for value in values:
        _check_text(value)
    return tuple(values)


def _to_time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
        if time.tzinfo is not None:
            return time.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise EvidenceError('"as_of" is no time: {text!r}', text=text) from error
    raise EvidenceError('"as_of" has no time zone: {text!r}', text=text)


def _to_option(key: str, value: object) -> Option:
    if isinstance(value, list):
        return _to_texts(value, Sentence('the option "{key}"', key=key))
    if isinstance(value, str | int | float | bool | None):
        return value
    raise EvidenceError('the option "{key}" has a value that no option has', key=key)


def _to_answer(value: object) -> Answer:
    said = _Fields(value, Sentence("an answer"))
    name = said.take("name", str)
    said = _Fields(value, Sentence("the answer for {name!r}", name=name))
    question = Question(DomainName(name), _to_member(RRType, said.take("type", str), Sentence("record type")))
    status = _to_member(Status, said.take("status", str), Sentence("status"))
    records = tuple(_to_rdata(question, record) for record in said.take("records", list, []))
    if bool(records) != (status is Status.DATA):
        told = 'the answer for "{question}" has the status {status} and {count} records'
        raise EvidenceError(told, question=question, status=status, count=len(records))
    return Answer(
        question,
        status,
        records,
        tuple(DomainName(alias) for alias in said.take_texts("aliases")),
        said.take_number("ttl_s"),
        said.take("authenticated", bool, False),
        said.take_number("rcode"),
        said.take("server", str, ""),
        said.take("asked_at", float, 0.0),
        said.take("took_ms", float, 0.0),
        said.take("note", str, ""),
    )


E_ = TypeVar("E_", RRType, Status)


def _to_member(kind: type[E_], text: str, what: Sentence) -> E_:
    try:
        return kind(text)
    except ValueError as error:
        raise EvidenceError("{text!r} is no {what} that mailguard knows", text=text, what=what) from error


def _to_rdata(question: Question, value: object) -> Rdata:
    if question.rrtype is RRType.MX:
        said = _Fields(value, Sentence('a record of "{question}"', question=question))
        preference = said.take("preference", int)
        if not 0 <= preference < 65_536:
            raise EvidenceError('a record of "{question}" has a preference out of range', question=question)
        return Mx(preference, DomainName(said.take("exchange", str)))
    if question.rrtype in _TEXT_TYPES:
        if isinstance(value, list) and value:
            return Txt(tuple(_to_octets(question, string) for string in value))
    elif isinstance(value, str):
        _check_text(value)
        return DomainName(value) if question.rrtype in _NAME_TYPES else value
    raise EvidenceError('a record of "{question}" has another form than its type', question=question)


def _to_octets(question: Question, value: object) -> bytes:
    if isinstance(value, str):
        _check_text(value)
        return value.encode("utf-8")
    try:
        return bytes.fromhex(_Fields(value, Sentence('a string of "{question}"', question=question)).take("hex", str))
    except ValueError as error:
        raise EvidenceError('a string of "{question}" is no hexadecimal', question=question) from error
