"""From a guide and a line of the list to a message that can lie in the outbox. Sends nothing, writes nothing."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from mailguard.guidebook.blocks import Book
from mailguard.guidebook.brand import PLAIN, Brand
from mailguard.render.book.mail import Cover, render_mail
from mailguard.render.book.mime import Head, Mailbox, MailForm, compose
from mailguard.sending.recipients import Recipient
from mailguard.sending.settings import SendSettings
from mailguard.sending.values import Draft, Message

_TOKEN_BYTES = 16


@dataclass(frozen=True, slots=True)
class Prepared:
    """A draft with its content, for a preview."""

    draft: Draft
    form: MailForm


def prepare(
    book: Book,
    recipient: Recipient,
    settings: SendSettings,
    brand: Brand = PLAIN,
    *,
    font: str | None = None,
    pdf: bytes | None = None,
    known: Message | None = None,
) -> Prepared:
    """Make the message of one recipient.

    Args:
        pdf: The guide as PDF, where it has been made already.
        known: The message of this recipient and guide, where the outbox has one: the new one keeps its Message-ID, so
            that a mail server that saw the first does not take the second for another.

    Raises:
        UsageError, OperationError: as ``render_mail`` does.
    """
    sender = settings.sender
    token = known.token if known else secrets.token_hex(_TOKEN_BYTES)
    message_id = known.message_id if known else f"{book.number}.{token}@{sender.domain}"
    unsubscribe = sender.unsubscribe(token)
    cover = Cover(
        clinic=recipient.clinic,
        person=recipient.name,
        sender=sender.name,
        lines=(sender.postal_address, sender.contact),
        basis=recipient.consent or settings.basis,
        opt_out_address=unsubscribe.address,
        opt_out_url=unsubscribe.url,
    )
    form = render_mail(book, brand, cover, font=font, pdf=pdf)
    to = Mailbox(recipient.email, recipient.name or recipient.clinic)
    raw = compose(form, Head(sender.mailbox, to, message_id, sender.reply_to, unsubscribe))
    draft = Draft(
        number=book.number,
        domain=str(recipient.domain),
        recipient=recipient.email,
        clinic=recipient.clinic,
        subject=form.subject,
        message_id=message_id,
        token=token,
        fingerprint=fingerprint(recipient, settings),
        raw=raw,
    )
    return Prepared(draft, form)


def fingerprint(recipient: Recipient, settings: SendSettings) -> str:
    """What list and settings put into a message; the same until one of them is changed."""
    return hashlib.sha256(f"{recipient.fingerprint} {settings.fingerprint}".encode()).hexdigest()
