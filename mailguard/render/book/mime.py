"""A mail's bytes: header fields that nothing can break out of, and the MIME tree of one guide.

::

    multipart/mixed
    +-- multipart/alternative
    |   +-- text/plain
    |   +-- multipart/related
    |       +-- text/html        styles inlined, nothing fetched
    |       +-- image/png ...    by cid
    +-- application/pdf

Every value of a header field is first made visible (no line end, no bidi control is left), then cut, then written as
encoded words (RFC 2047) unless it is plain ASCII that cannot be taken for one. ``compat32`` is used on purpose: the
newer policies read a value that is set, and would carry out an encoded word that a stranger wrote. All bodies are
base64, so the mail is ASCII with short lines: no server has to convert it (no 8BITMIME, no SMTPUTF8), and a DKIM
signature holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.message import Message
from email.mime.application import MIMEApplication
from email.mime.image import MIMEImage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import compat32
from email.utils import format_datetime
from hashlib import sha256
from typing import Final, TypeVar

from mailguard.render.safe import brief

M = TypeVar("M", bound=Message)

MAX_TEXT: Final = 180
"""Characters of a stranger's text in a header field; a longer one is cut."""

_PLAIN: Final = re.compile(r"[!-~]+(?: [!-~]+)*")
_ATOMS: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_ADDRESS: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}")
_TOKEN: Final = re.compile(r"[!-~]+")
_POLICY: Final = compat32.clone(linesep="\r\n")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A name, which may be anybody's text, and an address of ASCII letters (RFC 5321, no quoted local part)."""

    address: str
    name: str = ""

    def __post_init__(self) -> None:
        if not is_address(self.address):
            raise ValueError(f"not an address: {self.address!r}")


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture within the HTML, which refers to it by ``cid:``."""

    cid: str
    content: bytes
    subtype: str = "png"


@dataclass(frozen=True, slots=True)
class MailForm:
    """A guide as the content of a mail."""

    subject: str
    text: str
    html: str
    pictures: tuple[Picture, ...]
    pdf: bytes
    pdf_name: str


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """Where to say no: an address, an https URL, and whether that takes the one click of RFC 8058."""

    address: str = ""
    url: str = ""
    one_click: bool = False


@dataclass(frozen=True, slots=True)
class Head:
    """The header of a mail that is sent. ``message_id`` without its angle brackets."""

    sender: Mailbox
    recipient: Mailbox
    message_id: str
    reply_to: str = ""
    unsubscribe: Unsubscribe = Unsubscribe()


def is_address(text: str) -> bool:
    """Whether a text is an address that we write to: ASCII, no quotes, no two dots in a row in the local part."""
    local = text.partition("@")[0]
    return bool(_ADDRESS.fullmatch(text)) and ".." not in text and not local.startswith(".") and not local.endswith(".")


def compose(form: MailForm, head: Head) -> bytes:
    """The mail without its Date, which it gets when it is handed over (``dated``). Equal arguments, equal bytes."""
    return _whole(_tree(form, head.message_id), _fields(form, head))


def compose_draft(form: MailForm) -> bytes:
    """The mail without a sender and a recipient. ``X-Unsent`` makes Outlook open it for writing."""
    fields = (("Subject", unstructured("Subject", form.subject)), ("X-Unsent", "1"))
    return _whole(_tree(form, form.subject), fields)


def dated(raw: bytes, moment: datetime) -> bytes:
    """The mail with its Date (RFC 5322 3.6.1) as its first field."""
    return f"Date: {format_datetime(moment)}\r\n".encode("ascii") + raw


def unstructured(name: str, text: str) -> Header:
    """The value of a field of free text."""
    shown = brief(" ".join(text.split()), MAX_TEXT)
    plain = _PLAIN.fullmatch(shown) and "=?" not in shown
    return Header(shown, "us-ascii" if plain else "utf-8", maxlinelen=76, header_name=name)


def mailbox(name: str, box: Mailbox) -> Header:
    """The value of an address field: the name as atoms or as encoded words (RFC 2047 5(3)), never in quotes."""
    shown = brief(" ".join(box.name.split()), MAX_TEXT)
    if not shown:
        return Header(box.address, header_name=name)
    plain = _ATOMS.fullmatch(shown) and "=?" not in shown
    header = Header(shown, "us-ascii" if plain else "utf-8", maxlinelen=76, header_name=name)
    header.append(f"<{box.address}>", "us-ascii")
    return header


def _whole(tree: Message, fields: Iterable[tuple[str, Header | str]]) -> bytes:
    """The mail, with its fields before those of MIME."""
    of_mime = tree.items()
    for name, _ in of_mime:
        del tree[name]
    for name, value in (*fields, *of_mime):
        tree[name] = value  # type: ignore[assignment]  # a Header too, which the older policy folds itself
    return tree.as_bytes(policy=_POLICY)


def _fields(form: MailForm, head: Head) -> Iterator[tuple[str, Header | str]]:
    yield "From", mailbox("From", head.sender)
    if head.reply_to:
        yield "Reply-To", mailbox("Reply-To", Mailbox(head.reply_to))
    yield "To", mailbox("To", head.recipient)
    yield "Subject", unstructured("Subject", form.subject)
    yield "Message-ID", f"<{_token(head.message_id)}>"
    if ways := _ways(head.unsubscribe):
        yield "List-Unsubscribe", ", ".join(ways)
    # RFC 8058 3.1: only with an https URI, and the signature of the sender's server has to cover both fields.
    if head.unsubscribe.url and head.unsubscribe.one_click:
        yield "List-Unsubscribe-Post", "List-Unsubscribe=One-Click"
    # RFC 3834 5: nobody typed it, so nobody's absence should be told to it.
    yield "Auto-Submitted", "auto-generated"


def _ways(unsubscribe: Unsubscribe) -> list[str]:
    """RFC 2369 3.2: the way that the sender prefers comes first."""
    urls = [f"<{_token(unsubscribe.url)}>"] if unsubscribe.url else []
    return [*urls, f"<mailto:{_token(unsubscribe.address)}?subject=unsubscribe>"] if unsubscribe.address else urls


def _token(text: str) -> str:
    """A value of our own or of the settings, which were checked when they were read."""
    if not _TOKEN.fullmatch(text) or set("<>") & set(text):
        raise ValueError(f"not fit for a header field: {text!r}")
    return text


def _tree(form: MailForm, seed: str) -> Message:
    boundaries = (f"=_{sha256(f'{seed} {number}'.encode()).hexdigest()[:24]}" for number in range(3))
    related = _below(MIMEMultipart("related", boundary=next(boundaries), _subparts=[_text(form.html, "html")]))
    for picture in form.pictures:
        related.attach(_picture(picture))
    alternative = _below(MIMEMultipart("alternative", boundary=next(boundaries)))
    alternative.attach(_text(form.text, "plain"))
    alternative.attach(related)
    mixed = MIMEMultipart("mixed", boundary=next(boundaries), _subparts=[alternative])
    mixed.attach(_attached(form))
    return mixed


def _text(text: str, subtype: str) -> MIMEText:
    return _below(MIMEText("\r\n".join(text.splitlines()) + "\r\n", subtype, "utf-8"))


def _picture(picture: Picture) -> MIMEImage:
    part = _below(MIMEImage(picture.content, picture.subtype))
    part["Content-ID"] = f"<{_token(picture.cid)}>"
    part.add_header("Content-Disposition", "inline", filename=f"{picture.cid.partition('@')[0]}.{picture.subtype}")
    return part


def _attached(form: MailForm) -> MIMEApplication:
    part = _below(MIMEApplication(form.pdf, "pdf", name=form.pdf_name))
    part.add_header("Content-Disposition", "attachment", filename=form.pdf_name)
    return part


def _below(part: M) -> M:
    """A part within a mail: MIME-Version belongs to the whole (RFC 2045 4)."""
    del part["MIME-Version"]
    return part
