"""Evidence files: newline-delimited JSON, a header and then one line per domain, written and read as a stream."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, TextIO

from mailguard.errors import EvidenceError, Sentence, system_reason
from mailguard.evidence import Evidence
from mailguard.evidence.codec import check_header, format_evidence, format_header, parse_evidence

MAX_LINE_OCTETS: Final = 64 * 1024 * 1024
"""Longest line read; 100 answers of 64 KB each, escaped, fit into it."""


class EvidenceWriter:
    """Writes the header, then a line per domain, each in one piece and flushed, so that a run may end at any time.

    Without ``made_by`` it goes on in a stream that has its header.
    """

    def __init__(self, stream: TextIO, made_by: str | None) -> None:
        self._stream = stream
        if made_by is not None:
            self._write_line(format_header(made_by))

    def add(self, evidence: Evidence) -> None:
        """Append one domain. May raise OSError."""
        self._write_line(format_evidence(evidence))

    def _write_line(self, line: str) -> None:
        self._stream.write(line + "\n")
        self._stream.flush()


def load_evidence(path: Path) -> Iterator[Evidence]:
    """Read an evidence file, one domain at a time; lines of more than 64 MiB are refused.

    Raises:
        EvidenceError: in one sentence with the file and the line. What came before a damaged line has been given.
    """
    try:
        with path.open("rb") as stream:
            yield from _read_stream(stream, str(path))
    except OSError as error:
        told = "The evidence file {file} cannot be read: {reason}."
        raise EvidenceError(told, file=path, reason=system_reason(error)) from error


def _read_stream(stream: BinaryIO, name: str) -> Iterator[Evidence]:
    number = 0
    while line := stream.readline(MAX_LINE_OCTETS + 1):
        number += 1
        try:
            text = _to_text(line)
            if number == 1:
                check_header(text)
            if number == 1 or not text.strip():
                continue
            evidence = parse_evidence(text)
        except EvidenceError as error:
            raise EvidenceError(_sentence(name, number, error)) from error
        yield evidence
    if number == 0:
        raise EvidenceError("The evidence file {file} is empty.", file=name)


def _sentence(name: str, number: int, error: EvidenceError) -> Sentence:
    if number == 1:
        return Sentence("The file {file} cannot be replayed: {reason}.", file=name, reason=error.sentence)
    told = "Line {number} of the evidence file {file} is damaged: {reason}."
    return Sentence(told, number=number, file=name, reason=error.sentence)


def _to_text(line: bytes) -> str:
    if len(line) > MAX_LINE_OCTETS:
        raise EvidenceError("it is longer than {limit} MiB", limit=MAX_LINE_OCTETS // 1024 // 1024)
    try:
        text = line.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise EvidenceError("it is no UTF-8") from error
    if text.strip() and not line.endswith(b"\n") and not text.rstrip().endswith("}"):
        raise EvidenceError("it is cut short, as if the run that wrote it had been interrupted")
    return text
