"""A guide goes out through a real Postfix with STARTTLS and a password, and its real bounce comes back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailguard.cli import main
from mailguard.sending.outbox import Outbox
from mailguard.sending.values import State
from tests.cli.test_guide_send import CONSULTANT
from tests.cli.world import served
from tests.guidebook.books import can_draw
from tests.integration.imap_server import PASSWORD as IMAP_PASSWORD
from tests.integration.imap_server import Dovecot, running_dovecot
from tests.integration.postfix.authority import Authority
from tests.integration.postfix.server import Postfix, needs_postfix, needs_root
from tests.integration.postfix.submission import PASSWORD, needs_dovecot, running_submission
from tests.render.documents import document_of
from tests.sending.server import TAKES, MailServer, running
from tests.sending.test_bounces import bounce
from tests.sending.world import SETTINGS

pytestmark = [
    pytest.mark.integration,
    needs_postfix,
    needs_dovecot,
    needs_root,
    pytest.mark.skipif(not can_draw(), reason="no font here can show Japanese"),
]

WAIT_S = 60.0
USER = "guide@consult.example.jp"


@dataclass
class World:
    """The consultant's folder, their Postfix, and the rest of the Internet, which is one server."""

    folder: Path
    postfix: Postfix
    internet: MailServer
    dns: tuple[str, ...]

    def run(self, *arguments: str) -> Result:
        done = CliRunner().invoke(main, ["guide", *arguments], env={"MAILGUARD_LANG": "en"})
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done

    def send(self, *arguments: str) -> Result:
        return self.run("send", "--recipients", "list.csv", *self.dns, *arguments)

    def until(self, happened: Callable[[], object]) -> None:
        deadline = time.monotonic() + WAIT_S
        while not happened():
            assert time.monotonic() < deadline, self.postfix.log[-4000:]
            time.sleep(0.05)

    def states(self) -> dict[str, State]:
        found = Outbox.read(self.folder / "outbox.db")
        assert found is not None
        with closing(found) as outbox:
            return {message.domain: message.state for message in outbox.messages()}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("mailguard.render.book.mail.render_pdf", lambda *_, **__: b"%PDF-1.7 " + b"x" * 300_000)
    authority = Authority(tmp_path / "authority.pem", "test authority")
    authority.issue(tmp_path / "chain.pem", tmp_path / "key.pem", "localhost")
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    with (
        running(MailServer()) as internet,
        served(CONSULTANT) as dns,
        running_submission(internet.port, chain, key, {USER: PASSWORD}) as postfix,
    ):
        write_files(tmp_path, postfix.port)
        yield World(tmp_path, postfix, internet, dns.options)


def write_files(folder: Path, port: int) -> None:
    import json

    server = f'host = "localhost"\nusername = "{USER}"\npassword_file = "password"\nca_file = "authority.pem"'
    settings = SETTINGS.format(port=port).replace('host = "127.0.0.1"', server)
    settings = settings.replace('tls = "none, to a server on this machine"', 'tls = "starttls"')
    (folder / "send.toml").write_text(settings, "utf-8")
    (folder / "password").write_text(PASSWORD, "utf-8")
    names = ("midori", "aoba")
    rows = "".join(f"{name}.example.jp,info@{name}.example.jp,院長先生,{name}病院\n" for name in names)
    (folder / "list.csv").write_text(f"domain,email,name,clinic\n{rows}", "utf-8-sig")
    documents = [document_of(f'{name}.example.jp TXT "v=spf1 ~all"', f"{name}.example.jp") for name in names]
    (folder / "audits.json").write_text(json.dumps(documents), "utf-8")


def previewed(world: World) -> None:
    done = world.send("--audits", "audits.json", "--for", "director", "--preview", "look")
    assert done.exit_code == 0, done.output


def test_a_guide_arrives_as_it_was_looked_at(world: World) -> None:
    previewed(world)
    done = world.send()
    assert done.exit_code == 0, done.output
    world.until(lambda: len(world.internet.taken) == 2)
    assert "TLS connection established from localhost" in world.postfix.log
    assert f"sasl_username={USER}" in world.postfix.log
    assert {one.mail_from for one in world.internet.taken} == {"bounces@consult.example.jp"}
    for delivery in world.internet.taken:
        domain = delivery.rcpt_to.partition("@")[2]
        (looked_at,) = (world.folder / "look").glob(f"*-{domain}.eml")
        head, _, body = looked_at.read_bytes().partition(b"\r\n\r\n")
        assert delivery.raw.endswith(body), "no server on the way had to change a line"
        assert head in delivery.raw
    world.send()
    assert set(world.states().values()) == {State.SENT}
    assert len(world.internet.taken) == 2


def test_a_wrong_password_is_one_sentence_and_nothing_goes_out(world: World) -> None:
    (world.folder / "password").write_text("wrong", "utf-8")
    previewed(world)
    done = world.send()
    assert done.exit_code == 4
    assert "does not take the username and password (535" in done.output
    assert "wrong" not in done.output
    assert set(world.states().values()) == {State.PENDING}


def test_a_certificate_that_nobody_vouches_for_gets_no_password(world: World) -> None:
    stranger = Authority(world.folder / "authority.pem", "another authority")
    assert stranger.file.exists()
    previewed(world)
    done = world.send()
    assert done.exit_code == 4
    assert "has no certificate that can be trusted" in done.output
    assert "sasl_username" not in world.postfix.log


def test_a_real_bounce_is_known_and_stops_the_address(world: World) -> None:
    def answer(address: str) -> str:
        return "550 5.1.1 no such user here" if address == "info@midori.example.jp" else TAKES

    world.internet.on_rcpt = answer
    previewed(world)
    assert world.send().exit_code == 0, "Postfix took both; that one does not exist is told later"
    world.until(lambda: [one for one in world.internet.taken if one.mail_from == ""])
    (returned,) = (one for one in world.internet.taken if one.mail_from == "")
    assert returned.rcpt_to == "bounces@consult.example.jp"
    (world.folder / "returned.eml").write_bytes(returned.raw)
    done = world.run("bounces", "returned.eml")
    assert "midori.example.jp, info@midori.example.jp: came back for good" in done.output, returned.raw
    assert world.states() == {"midori.example.jp": State.BOUNCED, "aoba.example.jp": State.SENT}


def test_bounces_are_taken_out_of_a_mailbox_and_other_mail_is_left(world: World) -> None:
    previewed(world)
    assert world.send().exit_code == 0
    found = Outbox.read(world.folder / "outbox.db")
    assert found is not None
    with closing(found) as outbox:
        message_id = outbox.messages()[0].message_id
    with running_dovecot() as dovecot:
        box = dovecot.new_mailbox()
        box.deliver(bounce(message_id=f"<{message_id}>"))
        box.deliver(b"Subject: a question\r\n\r\nAbout your guide.\r\n")
        (world.folder / "imap-password").write_text(IMAP_PASSWORD, "utf-8")
        settings = world.folder / "send.toml"
        settings.write_text(settings.read_text("utf-8") + mailbox_table(dovecot, box.user), "utf-8")
        done = world.run("bounces", "--mailbox")
        assert done.exit_code == 0, done.output
        assert "midori.example.jp, info@midori.example.jp: came back for good" in done.output
        assert box.mails() == {"a question": ""}
        assert list(box.mails("mailguard-done")) == ["Undelivered Mail Returned to Sender"]


def mailbox_table(dovecot: Dovecot, user: str) -> str:
    return f"""
[bounces]
host = "localhost"
port = {dovecot.port}
encryption = "starttls"
user = "{user}"
password_file = "imap-password"
ca_file = "{dovecot.certificate}"
"""
