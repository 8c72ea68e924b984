"""The file that a client's data is handed over in: a ZIP that depends on nothing but the data.

Same data, same bytes: members in a fixed order, all with the same time. So an export can be held against what the
database has now, and deleting asks for exactly that. Written and compared member by member, each in pieces; the largest
thing in memory is one mail.
"""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import IO, Any, Final

from mailguard import __version__
from mailguard.cli.clientsent import COLUMNS as SENT_COLUMNS
from mailguard.cli.clientsent import Sent
from mailguard.cli.output import unwritable
from mailguard.cli.reportlist import csv_pieces, json_pieces
from mailguard.errors import OperationError, Sentence, UsageError, system_reason
from mailguard.render.safe import json_text
from mailguard.store import clientrows, clients
from mailguard.store.clients import Client, Holding, Mails
from mailguard.store.database import Database
from mailguard.store.statements import COLUMNS
from mailguard.words import LANGUAGES, translator

FORMAT: Final = "mailguard client export 1"
MANIFEST: Final = "MANIFEST.json"

_PIECE: Final = 2**16
_TIME: Final = (1980, 1, 1, 0, 0, 0)

Member = tuple[str, Iterator[bytes]]

_README: Final = (
    Sentence("These are the data that mailguard kept about {domain}."),
    Sentence("mails/: the mails that brought the reports, as they came. Every mail program opens them."),
    Sentence("tables/: reports, records, daily sums and mails as CSV for spreadsheets, and the same as JSON."),
    Sentence("sent/: mails that were made for it with mailguard guide send, where that was asked for."),
    Sentence("audits/: what DNS said about the domain, and what was found."),
    Sentence("MANIFEST.json: how much there is of each kind, and the SHA-256 of every file."),
    Sentence(
        "A mail that also holds reports about other domains is not here; what it says about this one is in tables/."
    ),
)


def members(database: Database, client: Client, mails: Mails, sent: Sent | None = None) -> Iterator[Member]:
    """Name and content of everything in an export but the manifest. Each content is taken before the next name."""
    yield "README.txt", iter([_readme(client).encode()])
    for listing in clientrows.listings(client):
        columns = clientrows.names_of(listing)
        yield from _forms(listing.name, columns, partial(clientrows.rows, database, listing))
    yield from _forms("mails", clientrows.MAIL_COLUMNS, partial(clientrows.mail_rows, database, mails))
    yield from _forms("unreadable", COLUMNS["unreadable"], partial(clientrows.unreadable_rows, database, mails))
    for document in clients.load_audits(database, client):
        moment = document["as_of"].replace(":", "").replace("-", "")
        content = json_text(document, indent=1).encode("utf-8", "replace")
        yield f"audits/{document['domain']}-{moment}.json", iter([content])
    if sent is not None:
        yield from _forms("sent", SENT_COLUMNS, sent.rows)
    for name, raw in chain(clientrows.raw_mails(database, mails), sent.raws() if sent else ()):
        yield name, iter([raw])


@dataclass(frozen=True, slots=True)
class Whole:
    """All that is exported: what the database has of a client, how much it is, and its part of an outbox."""

    database: Database
    client: Client
    mails: Mails
    held: Sequence[Holding]
    sent: Sent | None = None


def write_export(path: Path, whole: Whole) -> int:
    """Write the file, whole or not at all, readable by its owner only; its size in bytes.

    Raises OperationError where the disk will not.
    """
    fresh = path.with_name(f".{path.name}.new")
    try:
        fresh.unlink(missing_ok=True)
        with open(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600), "wb") as file:
            _write(file, _with_manifest(whole))
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, path)
        return path.stat().st_size
    except OSError as error:
        raise OperationError(unwritable(path, error)) from error
    finally:
        fresh.unlink(missing_ok=True)


def check_export(path: Path, whole: Whole) -> None:
    """Raise UsageError unless the file holds everything that the database has about the client now, undamaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            infos = {info.filename: info for info in archive.infolist()}
            for name, pieces in _with_manifest(whole):
                if name not in infos or not _same(archive, infos.pop(name), pieces):
                    raise UsageError(
                        "{file} does not hold what is kept about {domain} now ({name} differs); export again.",
                        file=path,
                        domain=whole.client.domain,
                        name=name,
                    )
    except OSError as error:
        raise UsageError(
            "{file} cannot be read ({reason}); check the path.", file=path, reason=system_reason(error)
        ) from error
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise UsageError("{file} is no export of mailguard, or it is damaged; export again.", file=path) from error


def _with_manifest(whole: Whole) -> Iterator[Member]:
    """All members; the manifest comes last, when everything else is known."""
    files: list[dict[str, Any]] = []
    for name, pieces in members(whole.database, whole.client, whole.mails, whole.sent):
        yield name, _noted(name, pieces, files)
    told = {
        "format": FORMAT,
        "mailguard": __version__,
        "domain": str(whole.client.domain),
        "names_below": whole.client.below,
        "counts": {one.kind: one.count for one in whole.held},
        "mails_left_out_because_they_hold_reports_about_others": len(whole.mails.shared),
        "files": files,
    }
    yield MANIFEST, iter([json.dumps(told, ensure_ascii=False, indent=1).encode()])


def _noted(name: str, pieces: Iterator[bytes], files: list[dict[str, Any]]) -> Iterator[bytes]:
    size, digest = 0, sha256()
    for piece in _larger(pieces):
        size += len(piece)
        digest.update(piece)
        yield piece
    files.append({"name": name, "bytes": size, "sha256": digest.hexdigest()})


def _larger(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes in fewer pieces: a row alone is hardly worth compressing."""
    waiting = bytearray()
    for piece in pieces:
        waiting += piece
        if len(waiting) >= _PIECE:
            yield bytes(waiting)
            waiting.clear()
    yield bytes(waiting)


def _write(file: IO[bytes], contents: Iterable[Member]) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, pieces in contents:
            info = zipfile.ZipInfo(name, _TIME)
            info.compress_type, info.create_system, info.external_attr = zipfile.ZIP_DEFLATED, 3, 0o600 << 16
            with archive.open(info, "w", force_zip64=True) as member:
                for piece in pieces:
                    member.write(piece)


def _same(archive: zipfile.ZipFile, info: zipfile.ZipInfo, pieces: Iterator[bytes]) -> bool:
    """Whether a member says what it should. No more of it is read than that, whatever it claims to be."""
    if info.compress_type != zipfile.ZIP_DEFLATED:
        return False
    with archive.open(info) as member:
        return all(member.read(len(piece)) == piece for piece in pieces) and not member.read(1)


def _forms(name: str, columns: Iterable[str], rows: Callable[[], Iterator[clientrows.Row]]) -> Iterator[Member]:
    yield f"tables/{name}.json", (piece.encode("utf-8", "replace") for piece in json_pieces(rows()))
    yield f"tables/{name}.csv", (piece.encode("utf-8", "replace") for piece in csv_pieces(rows(), list(columns)))


def _readme(client: Client) -> str:
    parts = ["\n".join(line.told(translator(language)) for line in _README) for language in LANGUAGES]
    return "\n\n".join(parts).replace("{domain}", client.domain.unicode) + "\n"
