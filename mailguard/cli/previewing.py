"""The folder of a preview: each mail as a mail program would open it, and as a page for the browser."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import Self

from mailguard.cli.output import unwritable
from mailguard.errors import OperationError, UsageError
from mailguard.render.book.mime import MailForm
from mailguard.render.safe import cell
from mailguard.sending.prepare import Prepared
from mailguard.sending.recipients import Recipient


class PreviewFolder:
    """Made where it is not there. ``list.csv`` says which file is whose. Use as a context manager."""

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        self._rows: list[tuple[str, ...]] = [("file", "domain", "email", "clinic", "language", "subject")]

    def __enter__(self) -> Self:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(unwritable(self.path, error)) from error
        return self

    def add(self, prepared: Prepared, recipient: Recipient) -> None:
        """Put one mail there."""
        name = f"{len(self._rows):04}-{recipient.domain}"
        self._write(f"{name}.eml", prepared.draft.raw)
        self._write(f"{name}.html", _for_browsers(prepared.form).encode())
        shown = (recipient.domain, recipient.email, recipient.clinic, recipient.language, prepared.form.subject)
        self._rows.append((f"{name}.eml", *map(str, shown)))

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            lines = (",".join(_quoted(cell(text)) for text in row) for row in self._rows)
            self._write("list.csv", ("\ufeff" + "\r\n".join(lines) + "\r\n").encode())

    def _write(self, name: str, content: bytes) -> None:
        path = self.path / name
        try:
            path.write_bytes(content)
        except OSError as error:
            raise OperationError(unwritable(path, error)) from error


def _for_browsers(form: MailForm) -> str:
    """The HTML with its pictures in it."""
    html = form.html
    for picture in form.pictures:
        url = f"data:image/{picture.subtype};base64,{b64encode(picture.content).decode('ascii')}"
        html = html.replace(f"cid:{picture.cid}", url)
    return html


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
