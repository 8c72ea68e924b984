"""Which messages go out, how fast, and what a run leaves behind, whatever happens to it."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from mailguard.sending.outbox import Outbox
from mailguard.sending.prepare import fingerprint
from mailguard.sending.run import Clock, Why, choose, note_refusals, send_all
from mailguard.sending.smtp import Channel, Fate, Handed, ServerRefuses
from mailguard.sending.values import Message, State, Stop
from tests.sending.server import Cut, MailServer
from tests.sending.world import NOW, SETTINGS, draft, recipient, settings

NAMES = ("midori", "aoba", "hinata")


def ready(outbox: Outbox, folder: Path, *names: str) -> list[Message]:
    """Messages for recipients, as a preview leaves them."""
    chosen = settings(folder)
    return [outbox.put(draft(name, fingerprint=fingerprint(recipient(name), chosen)), NOW) for name in names]


class Waits:
    """Instead of sleeping."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.seconds.append(seconds)

    def now(self) -> datetime:
        return NOW


def go(outbox: Outbox, folder: Path, server: MailServer, messages: list[Message]) -> list[tuple[str, Fate]]:
    """One run over these messages."""
    told: list[tuple[str, Fate]] = []
    waits = Waits()

    def tell(message: Message, handed: Handed) -> None:
        told.append((message.domain, handed.fate))

    async def run() -> None:
        chosen = settings(folder, server.port)
        async with Channel(chosen.smtp) as channel:
            await send_all(outbox, messages, channel, chosen, tell, Clock(waits.now, waits.sleep))

    asyncio.run(run())
    return told


def states(outbox: Outbox) -> dict[str, State]:
    return {message.domain.partition(".")[0]: message.state for message in outbox.messages()}


def whys(outbox: Outbox, folder: Path, *names: str, **more: object) -> dict[str, Why]:
    """What becomes of each message or line where these are on the list."""
    listed = [recipient(name, **more) for name in names]
    chosen = choose(outbox, listed, settings(folder))
    domains = (
        (one.message.domain if one.message else str(one.recipient and one.recipient.domain), one.why) for one in chosen
    )
    return {domain.partition(".")[0]: why for domain, why in domains}


def test_each_gets_its_mail_once_and_with_a_date(outbox: Outbox, tmp_path: Path, server: MailServer) -> None:
    messages = ready(outbox, tmp_path, *NAMES)
    assert [fate for _, fate in go(outbox, tmp_path, server, messages)] == [Fate.TAKEN] * 3
    assert [one.rcpt_to for one in server.taken] == [f"info@{name}.example.jp" for name in NAMES]
    assert {one.mail_from for one in server.taken} == {"bounces@consult.example.jp"}
    assert {one.mail["Date"] for one in server.taken} == {"Sun, 22 Nov 2026 03:00:00 +0000"}
    assert [fate for _, fate in go(outbox, tmp_path, server, messages)] == [Fate.NOT_BEGUN] * 3
    assert len(server.taken) == 3
    assert set(states(outbox).values()) == {State.SENT}


def test_the_rate_is_kept(outbox: Outbox, tmp_path: Path, server: MailServer) -> None:
    waits = Waits()
    chosen = settings(tmp_path, server.port)
    messages = ready(outbox, tmp_path, *NAMES)

    async def run() -> None:
        async with Channel(chosen.smtp) as channel:
            await send_all(outbox, messages, channel, chosen, lambda *_: None, Clock(waits.now, waits.sleep))

    asyncio.run(run())
    assert waits.seconds == [0.1, 0.1]  # 600 a minute


def test_one_refusal_costs_no_other(outbox: Outbox, tmp_path: Path, server: MailServer) -> None:
    answers = {"info@midori.example.jp": "550 5.1.1 no such user", "info@aoba.example.jp": "451 4.2.0 later"}
    server.on_rcpt = lambda address: answers.get(address, "250 ok")
    go(outbox, tmp_path, server, ready(outbox, tmp_path, *NAMES))
    assert states(outbox) == {"midori": State.FAILED, "aoba": State.PENDING, "hinata": State.SENT}
    stopped = outbox.stopped("info@midori.example.jp")
    assert stopped is not None
    assert stopped.reason is Stop.REFUSED


def test_after_a_cut_the_run_goes_on_and_the_message_stays_unclear(
    outbox: Outbox, tmp_path: Path, server: MailServer
) -> None:
    def cut_the_first(address: str) -> str:
        if "midori" in address:
            raise Cut
        return "250 ok"

    server.on_dot = cut_the_first
    go(outbox, tmp_path, server, ready(outbox, tmp_path, *NAMES))
    assert states(outbox) == {"midori": State.UNCLEAR, "aoba": State.SENT, "hinata": State.SENT}
    assert whys(outbox, tmp_path, *NAMES)["midori"] is Why.UNCLEAR


def test_a_server_that_wants_no_mail_of_this_sender_ends_the_run(
    outbox: Outbox, tmp_path: Path, server: MailServer
) -> None:
    server.on_mail = lambda _: "553 5.7.1 not yours"
    with pytest.raises(ServerRefuses):
        go(outbox, tmp_path, server, ready(outbox, tmp_path, *NAMES))
    assert set(states(outbox).values()) == {State.PENDING}


def test_cancelled_while_handing_over_the_mail_is_finished_first(
    outbox: Outbox, tmp_path: Path, server: MailServer
) -> None:
    messages = ready(outbox, tmp_path, *NAMES)
    chosen = settings(tmp_path, server.port)

    async def run() -> None:
        async with Channel(chosen.smtp) as channel:
            task = asyncio.ensure_future(send_all(outbox, messages, channel, chosen, lambda *_: None, Clock()))
            # The message is begun in the same loop, so this comes between the recipient and the data.
            while not outbox.messages(State.SENDING):  # noqa: ASYNC110 - the outbox knows no events
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(run())
    assert states(outbox) == {"midori": State.SENT, "aoba": State.PENDING, "hinata": State.PENDING}


def test_what_goes(outbox: Outbox, tmp_path: Path) -> None:
    ready(outbox, tmp_path, *NAMES)
    assert whys(outbox, tmp_path, *NAMES) == dict.fromkeys(NAMES, Why.GOES)


def test_who_is_not_on_the_list_gets_nothing(outbox: Outbox, tmp_path: Path) -> None:
    ready(outbox, tmp_path, *NAMES)
    assert whys(outbox, tmp_path, "midori", "aoba")["hinata"] is Why.NOT_LISTED


def test_who_has_no_mail_is_told_of(outbox: Outbox, tmp_path: Path) -> None:
    assert whys(outbox, tmp_path, "midori") == {"midori": Why.NOT_PREPARED}


def test_who_says_no_gets_nothing_now_and_later(outbox: Outbox, tmp_path: Path) -> None:
    ready(outbox, tmp_path, "midori")
    assert whys(outbox, tmp_path, "midori", opt_out=True) == {"midori": Why.OPT_OUT}
    note_refusals(outbox, [recipient(opt_out=True)], NOW)
    assert whys(outbox, tmp_path, "midori", opt_out=False) == {"midori": Why.OPT_OUT}


def test_an_address_to_which_mail_came_back_gets_no_other_guide(outbox: Outbox, tmp_path: Path) -> None:
    outbox.stop("info@midori.example.jp", Stop.BOUNCED, NOW)
    ready(outbox, tmp_path, "midori")
    assert whys(outbox, tmp_path, "midori") == {"midori": Why.STOPPED}


@pytest.mark.parametrize("changed", [{"name": "佐藤花子"}, {"clinic": "あおば病院"}, {"language": "en"}])
def test_a_list_that_was_changed_since_the_preview_holds_the_mail_back(
    outbox: Outbox, tmp_path: Path, changed: dict[str, str]
) -> None:
    ready(outbox, tmp_path, "midori")
    assert whys(outbox, tmp_path, "midori", **changed) == {"midori": Why.CHANGED}


def test_settings_that_were_changed_since_the_preview_hold_the_mail_back(outbox: Outbox, tmp_path: Path) -> None:
    from mailguard.sending.settings import parse_send_settings

    ready(outbox, tmp_path, "midori")
    other = SETTINGS.format(port=25).replace("電話 03-0000-0000", "電話 03-1111-1111")
    (choice,) = choose(outbox, [recipient()], parse_send_settings(other, "send.toml", tmp_path))
    assert choice.why is Why.CHANGED
    elsewhere = SETTINGS.format(port=26)  # which server is used is nothing that a recipient sees
    (choice,) = choose(outbox, [recipient()], parse_send_settings(elsewhere, "send.toml", tmp_path))
    assert choice.why is Why.GOES


RUN_THAT_DIES = """
import asyncio, os, signal, sys
from pathlib import Path
from mailguard.sending.outbox import Outbox
from mailguard.sending.run import Clock, send_all
from mailguard.sending.smtp import Channel
from mailguard.sending.values import State
from tests.sending.world import settings

folder, port, point = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]

def die():
    os.kill(os.getpid(), signal.SIGKILL)

begin, conclude = Outbox.begin, Outbox.conclude

def dying_begin(self, message, now):
    if point == "before-begin":
        die()
    began = begin(self, message, now)
    if point == "after-begin":
        die()
    return began

def dying_conclude(self, message, state, now, answer=""):
    if point == "before-conclude":
        die()
    conclude(self, message, state, now, answer)
    if point == "after-conclude":
        die()

Outbox.begin, Outbox.conclude = dying_begin, dying_conclude

async def main():
    chosen = settings(folder, port)
    with Outbox.open(folder / "outbox.db") as outbox:
        async with Channel(chosen.smtp) as channel:
            await send_all(outbox, outbox.messages(State.PENDING), channel, chosen, lambda *_: None, Clock())

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("point", "taken", "state"),
    [
        ("before-begin", 0, State.PENDING),
        ("after-begin", 0, State.UNCLEAR),
        ("before-conclude", 1, State.UNCLEAR),
        ("after-conclude", 1, State.SENT),
        ("at-the-dot", 1, State.UNCLEAR),
    ],
)
def test_wherever_a_run_is_killed_no_mail_goes_out_twice(
    tmp_path: Path, server: MailServer, point: str, taken: int, state: State
) -> None:
    with Outbox.open(tmp_path / "outbox.db") as outbox:
        ready(outbox, tmp_path, "midori", "aoba")
    dies(tmp_path, server, point)
    # A whole transaction that was given to a server is taken, whether or not its answer was heard.
    assert len(server.taken) == taken
    with Outbox.open(tmp_path / "outbox.db") as outbox:
        assert states(outbox) == {"midori": state, "aoba": State.PENDING}
        server.on_dot = lambda _: "250 ok"
        go(outbox, tmp_path, server, outbox.messages(State.PENDING))
        assert states(outbox)["aoba"] is State.SENT
    received = [one.rcpt_to for one in server.taken]
    assert len(received) == len(set(received))
    assert received.count("info@midori.example.jp") == (1 if state is State.PENDING else taken)


def dies(folder: Path, server: MailServer, point: str) -> None:
    command = [sys.executable, "-c", RUN_THAT_DIES, str(folder), str(server.port), point]
    with subprocess.Popen(command, cwd=Path(__file__).parents[2]) as process:

        def kill_and_take(_: str) -> str:
            process.kill()
            process.wait()
            return "250 2.0.0 queued"

        if point == "at-the-dot":
            server.on_dot = kill_and_take
        assert process.wait(60) == -signal.SIGKILL


def test_sent_again_on_a_person_s_word_it_is_the_same_mail(outbox: Outbox, tmp_path: Path, server: MailServer) -> None:
    (message,) = ready(outbox, tmp_path, "midori")
    outbox.begin(message, NOW)
    outbox.conclude(message, State.UNCLEAR, NOW)
    outbox.conclude(message, State.PENDING, NOW, "settled by hand")
    go(outbox, tmp_path, server, [message])
    (one,) = server.taken
    assert one.mail["Message-ID"] == "<midori-token@consult.example.jp>"
