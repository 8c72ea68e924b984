"""What became of each mail of a run of ``mailguard guide send``, in words."""

from __future__ import annotations

import click

from mailguard.cli.speaking import say
from mailguard.render.safe import visible
from mailguard.sending.run import Choice, Why
from mailguard.sending.smtp import Fate, Handed
from mailguard.sending.values import State


def say_line(domain: str, address: str, what: str) -> None:
    """One line for one mail, on standard output."""
    click.echo(say("{domain}, {address}: {what}").format(domain=visible(domain), address=visible(address), what=what))


def say_fate(handed: Handed) -> str:
    """What the mail server did with it."""
    match handed.fate:
        case Fate.TAKEN:
            told = say("sent ({answer})")
        case Fate.LATER:
            told = say("not taken now, the next run tries again ({answer})")
        case Fate.REFUSED | Fate.NO_SUCH_ADDRESS:
            told = say("refused by the mail server ({answer})")
        case Fate.NOT_BEGUN:
            told = say("not sent, because another run has it")
        case Fate.UNKNOWN:
            told = say("unclear whether it was sent ({answer}); look, then: mailguard guide outbox settle")
    return told.format(answer=handed.answer)


def say_why(choice: Choice) -> str:
    """Why a mail does not go out."""
    match choice.why:
        case Why.OPT_OUT:
            return say("not sent: they do not want such mail")
        case Why.STOPPED:
            return say("not sent: mail to this address came back for good")
        case Why.NOT_LISTED:
            return say("not sent: it waits in the outbox, but is not on this list")
        case Why.CHANGED:
            return say("not sent: list or settings were changed since the preview; make the preview again")
        case Why.NOT_PREPARED:
            return say("not sent: there is no mail for them; make a preview, with an audit of their domain")
        case Why.UNCLEAR:
            return say("not sent: unclear whether it has gone out; look, then: mailguard guide outbox settle")
        case _:
            assert choice.message is not None
            when = choice.message.changed_at.strftime("%Y-%m-%d %H:%M UTC")
            return say("not sent again: {state} on {when}").format(state=say_state(choice.message.state), when=when)


def say_state(state: State) -> str:
    """The state of a message in words."""
    match state:
        case State.PENDING:
            return say("waiting")
        case State.SENDING:
            return say("being sent")
        case State.SENT:
            return say("sent")
        case State.FAILED:
            return say("refused")
        case State.BOUNCED:
            return say("came back")
        case State.UNCLEAR:
            return say("unclear")
