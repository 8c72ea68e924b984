"""mailguard guide send, from the list and the settings to a mail server on loopback."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailguard.cli import main
from mailguard.store import open_reader
from tests.cli.world import GOOD, KEY, Dns, served
from tests.guidebook.books import can_draw
from tests.render.documents import document_of
from tests.sending.server import TAKES, Cut, MailServer, running
from tests.sending.test_bounces import bounce
from tests.sending.world import SETTINGS

pytestmark = pytest.mark.skipif(not can_draw(), reason="no font here can show Japanese")

CONSULTANT = f"""
consult.example.jp                MX   10 mail.consult.example.jp
consult.example.jp                TXT  "v=spf1 ip4:192.0.2.20 -all"
mail.consult.example.jp           A    192.0.2.20
s1._domainkey.consult.example.jp  TXT  {KEY}
_dmarc.consult.example.jp         TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@consult.example.jp"
"""
CLINICS = ("midori", "aoba")
LIST = """domain,email,name,clinic,language,opt_out,consent
midori.example.jp,info@midori.example.jp,山田太郎,みどり病院,ja,,取引先
aoba.example.jp,office@aoba.example.jp,,Aoba Clinic,en,,取引先
"""


@dataclass
class World:
    """A consultant's folder, a mail server and DNS."""

    folder: Path
    server: MailServer
    dns: Dns

    def run(self, *arguments: str, lang: str = "en") -> Result:
        done = CliRunner().invoke(main, ["guide", *arguments], env={"MAILGUARD_LANG": lang})
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done

    def send(self, *arguments: str, **more: str) -> Result:
        return self.run("send", "--recipients", "list.csv", *self.dns.options, *arguments, **more)

    def preview(self, *arguments: str) -> Result:
        done = self.send("--audits", "audits.json", "--for", "director", "--preview", "look", *arguments)
        assert done.exit_code == 0, done.stderr
        return done

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, "utf-8")

    @property
    def received(self) -> list[str]:
        return [one.rcpt_to for one in self.server.taken]

    def messages(self, *arguments: str) -> list[dict[str, str]]:
        done = self.run("outbox", "list", "--format", "json", *arguments)
        found: list[dict[str, str]] = json.loads(done.stdout)["messages"]
        return found


@pytest.fixture(autouse=True)
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands in this process, in a folder of the test's own, and with a PDF that costs nothing."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("mailguard.render.book.mail.render_pdf", lambda *_, **__: b"%PDF-1.7")
    monkeypatch.setitem(os.environ, "LANGUAGE", "en")  # clicktexts sets it for the process


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with running(MailServer()) as server, served(CONSULTANT) as dns:
        one = World(tmp_path, server, dns)
        one.write("send.toml", SETTINGS.format(port=server.port))
        one.write("list.csv", LIST)
        documents = [document_of(f'{name}.example.jp TXT "v=spf1 ~all"', f"{name}.example.jp") for name in CLINICS]
        one.write("audits.json", json.dumps(documents))
        yield one


def test_first_a_preview_then_each_clinic_gets_what_was_looked_at(world: World) -> None:
    done = world.preview()
    assert "2 mails lie in look. Nothing was sent." in done.stderr
    assert world.server.commands == []
    looked_at = (world.folder / "look" / "0001-midori.example.jp.eml").read_bytes()
    done = world.send()
    assert done.exit_code == 0, done.stderr
    assert done.stdout.splitlines() == [
        "midori.example.jp, info@midori.example.jp: sent (250 2.0.0 queued)",
        "aoba.example.jp, office@aoba.example.jp: sent (250 2.0.0 queued)",
    ]
    date, _, rest = world.server.taken[0].raw.partition(b"\r\n")
    assert date.startswith(b"Date: ")
    assert rest == looked_at


def test_the_second_run_sends_nothing(world: World) -> None:
    world.preview()
    world.send()
    done = world.send()
    assert done.exit_code == 0
    assert "midori.example.jp, info@midori.example.jp: not sent again: sent on 20" in done.stdout
    assert "Nothing waits to be sent." in done.stderr
    assert len(world.received) == 2
    world.preview()
    world.send()
    assert len(world.received) == 2


def test_the_preview_shows_each_mail_for_browsers_and_mail_programs(world: World) -> None:
    world.preview()
    rows = list(csv.DictReader((world.folder / "look" / "list.csv").read_text("utf-8-sig").splitlines()))
    assert [row["email"] for row in rows] == ["info@midori.example.jp", "office@aoba.example.jp"]
    for row in rows:
        mail = message_from_bytes((world.folder / "look" / row["file"]).read_bytes())
        assert row["email"] in mail["To"]
        assert (world.folder / "look" / row["file"]).with_suffix(".html").exists()
    english = (world.folder / "look" / "0002-aoba.example.jp.html").read_text("utf-8")
    assert 'lang="en"' in english
    assert "Aoba Clinic" in english


def test_without_a_preview_nothing_goes_out(world: World) -> None:
    done = world.send("--audits", "audits.json")
    assert done.exit_code == 2
    assert "Look at the mails before they go out: add --preview DIR." in done.stderr
    done = world.send()
    assert done.exit_code == 1
    assert "there is no mail for them; make a preview" in done.stdout
    assert world.server.commands == []


def test_the_same_command_without_preview_sends_what_was_looked_at(world: World) -> None:
    made = world.send("--audits", "audits.json", "--for", "director", "--preview", "look")
    assert "mailguard guide send --sender send.toml --recipients " in made.stderr
    done = world.send("--audits", "audits.json", "--for", "director")
    assert done.exit_code == 0, done.stderr
    assert world.received == ["info@midori.example.jp", "office@aoba.example.jp"]


def test_yes_sends_without_a_look(world: World) -> None:
    done = world.send("--audits", "audits.json", "--for", "director", "--yes")
    assert done.exit_code == 0, done.stderr
    assert world.received == ["info@midori.example.jp", "office@aoba.example.jp"]


def test_a_dry_run_touches_nothing(world: World) -> None:
    before = sorted(path.name for path in world.folder.iterdir())
    done = world.send("--audits", "audits.json", "--for", "director", "--dry-run")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.count("would be sent") == 2
    assert sorted(path.name for path in world.folder.iterdir()) == before
    world.preview()
    database = (world.folder / "outbox.db").read_bytes()
    assert world.send("--dry-run").stdout.count("would be sent") == 2
    assert (world.folder / "outbox.db").read_bytes() == database
    assert world.server.commands == []


def test_a_test_goes_to_the_test_address_alone_and_counts_for_nothing(world: World) -> None:
    world.preview()
    done = world.send("--test-address", "me@consult.example.jp")
    assert done.exit_code == 0, done.stderr
    assert world.received == ["me@consult.example.jp"]
    assert {one["state"] for one in world.messages()} == {"pending"}


def test_a_limit_leaves_the_rest_for_later(world: World) -> None:
    world.preview()
    world.send("--limit", "1")
    assert len(world.received) == 1
    world.send()
    assert sorted(world.received) == ["info@midori.example.jp", "office@aoba.example.jp"]


def test_a_sender_that_is_not_in_order_sends_nothing(world: World) -> None:
    world.preview()
    open_to_all = CONSULTANT.replace("p=reject", "p=none")
    with served(open_to_all) as dns:
        done = World(world.folder, world.server, dns).send()
    assert done.exit_code == 2
    assert "Nothing is sent: consult.example.jp itself does not pass the audit" in done.stderr
    assert "a stranger can send mail as consult.example.jp" in done.stderr
    assert world.server.commands == []


def test_a_sender_about_whom_nothing_was_answered_sends_nothing(world: World) -> None:
    world.preview()
    with served("_dmarc.consult.example.jp TXT !servfail" + CONSULTANT.replace("_dmarc", "_gone")) as dns:
        done = World(world.folder, world.server, dns).send(lang="ja")
    assert done.exit_code == 2
    assert "答えが得られませんでした" in done.stderr
    assert world.server.commands == []


@pytest.mark.parametrize(("hours", "code"), [(1, 0), (25, 2)])
def test_a_saved_audit_of_the_sender_holds_for_a_day(world: World, hours: int, code: int) -> None:
    world.preview()
    as_of = datetime.now(UTC) - timedelta(hours=hours)
    document = document_of(CONSULTANT, "consult.example.jp", selectors=("s1",), as_of=as_of)
    world.write("sender.json", json.dumps(document))
    done = world.send("--sender-audit", "sender.json")
    assert done.exit_code == code, done.stderr
    assert len(world.received) == (2 if code == 0 else 0)


def test_a_bad_line_stops_all(world: World) -> None:
    world.write("list.csv", LIST + "hinata.example.jp,info,,,,,\n")
    done = world.send("--audits", "audits.json", "--yes")
    assert done.exit_code == 2
    assert "list.csv, line 4: 'info' is no mail address that can be written to." in done.stderr
    assert "Nothing was sent." in done.stderr
    assert world.server.commands == []


def test_a_list_from_a_spreadsheet_in_cp932(world: World) -> None:
    (world.folder / "list.csv").write_bytes(LIST.encode("cp932"))
    world.preview()
    assert world.messages()[0]["clinic"] == "みどり病院"


def test_advertising_needs_a_ground_for_each(world: World) -> None:
    world.write("send.toml", SETTINGS.format(port=1).replace("advertising = false", "advertising = true"))
    world.write("list.csv", LIST.replace("ja,,取引先", "ja,,"))
    done = world.send("--audits", "audits.json", "--preview", "look")
    assert done.exit_code == 2
    assert "line 2: consent is empty" in done.stderr


def test_who_said_no_once_gets_nothing_from_later_lists(world: World) -> None:
    world.write("list.csv", LIST.replace("ja,,", "ja,yes,"))
    world.preview()
    world.write("list.csv", LIST)
    done = world.preview()
    assert "midori.example.jp, info@midori.example.jp: not sent: they do not want such mail" in done.stdout
    world.send()
    assert world.received == ["office@aoba.example.jp"]


def test_a_cut_is_told_and_settled_by_a_person(world: World) -> None:
    def cut_the_first(address: str) -> str:
        if "midori" in address:
            raise Cut
        return TAKES

    world.server.on_dot = cut_the_first
    world.preview()
    done = world.send()
    assert done.exit_code == 1
    assert "midori.example.jp, info@midori.example.jp: unclear whether it was sent" in done.stdout
    world.server.on_dot = lambda _: TAKES
    assert "unclear whether it has gone out" in world.send().stdout
    assert world.received == ["office@aoba.example.jp"]
    assert world.run("outbox", "settle", "1", "--send-again").exit_code == 0
    world.send()
    assert world.received == ["office@aoba.example.jp", "info@midori.example.jp"]
    done = world.run("outbox", "settle", "1", "--sent")
    assert done.exit_code == 2
    assert "Mail 1 is not unclear" in done.stderr


def test_a_server_that_is_away_is_one_sentence(world: World) -> None:
    world.preview()
    world.write("send.toml", SETTINGS.format(port=1))
    done = world.send(lang="ja")
    assert done.exit_code == 4
    assert "メールサーバー 127.0.0.1:1 に接続できませんでした" in done.stderr
    assert {one["state"] for one in world.messages()} == {"pending"}


def test_the_log(world: World) -> None:
    world.preview()
    world.send()
    listed = world.run("outbox", "list", "--state", "sent", "--domain", "midori.example.jp").stdout
    assert listed.count("\n") == 1
    assert "midori.example.jp  info@midori.example.jp  みどり病院" in listed
    shown = world.run("outbox", "show", "1").stdout
    for said in (
        "prepared",
        "sending",
        "sent  250 2.0.0 queued",
        "To: 山田太郎 <info@midori.example.jp>",
        "みどり病院",
    ):
        assert said in shown
    assert world.run("outbox", "show", "9").exit_code == 2


def test_mails_that_came_back_stop_the_address(world: World) -> None:
    world.preview()
    world.send()
    message_id = world.messages()[0]["message_id"]
    (world.folder / "back").mkdir()
    (world.folder / "back" / "1.eml").write_bytes(bounce(message_id=f"<{message_id}>"))
    (world.folder / "back" / "2.eml").write_bytes(b"Subject: hello\n\nhello\n")
    done = world.run("bounces", "back")
    assert done.exit_code == 0, done.stderr
    assert "midori.example.jp, info@midori.example.jp: came back for good" in done.stdout
    assert "2.eml: is no notice of a mail that came back" in done.stdout
    assert "info@midori.example.jp gets nothing more since" in world.run("outbox", "list").stdout
    assert world.run("outbox", "allow", "info@midori.example.jp").exit_code == 0
    assert "gets nothing more" not in world.run("outbox", "list").stdout


@pytest.mark.parametrize(("lang", "word"), [("en", "This file is empty."), ("ja", "このファイルは空です")])
def test_what_is_no_mail_that_came_back_is_told(world: World, lang: str, word: str) -> None:
    world.write("empty", "")
    done = world.run("bounces", "empty", lang=lang)
    assert done.exit_code == 1
    assert f"mailguard: empty: {word}" in done.stderr


def test_a_client_s_mails_are_deleted_at_the_end(world: World) -> None:
    world.preview()
    assert world.run("outbox", "stop", "info@midori.example.jp").exit_code == 0
    assert world.run("outbox", "forget", "midori.example.jp").exit_code == 2
    assert world.run("outbox", "forget", "midori.example.jp", "--yes").stdout == "1 mails were deleted.\n"
    assert [one["domain"] for one in world.messages()] == ["aoba.example.jp"]
    assert "info@midori.example.jp gets nothing more" in world.run("outbox", "list").stdout


@pytest.mark.parametrize("lang", ["ja", "en"])
def test_help_on_the_law_has_sources_and_is_no_advice(world: World, lang: str) -> None:
    done = world.run("send", "--law", lang=lang)
    assert done.exit_code == 0
    assert ("法的な助言ではありません" if lang == "ja" else "no advice of a lawyer") in done.stdout
    assert "https://iuris.jp/" in done.stdout


def test_audits_can_be_asked_of_the_network(world: World) -> None:
    with served(CONSULTANT + GOOD) as dns:
        asking = World(world.folder, world.server, dns)
        asking.write("list.csv", "domain,email\nclinic.example.jp,info@clinic.example.jp\n")
        done = asking.send("--for", "director", "--preview", "look")
    assert done.exit_code == 0, done.stderr
    assert asking.messages()[0]["domain"] == "clinic.example.jp"


WITHOUT_DMARC = '{0} MX 10 mx.{0}\nmx.{0} A 192.0.2.1\n{0} TXT "v=spf1 ip4:192.0.2.1 -all"'


def parts_of(path: Path) -> str:
    """The parts of the guide that travels with a mail, where its PDF is only their names."""
    (pdf,) = message_from_bytes(path.read_bytes(), policy=default).iter_attachments()
    return str(pdf.get_content().decode())


def test_what_changed_since_an_earlier_audit_is_in_the_mail(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "mailguard.render.book.mail.render_pdf", lambda book, *_, **__: " ".join(one.id for one in book.parts).encode()
    )
    now, before = (
        document_of(WITHOUT_DMARC.format("midori.example.jp") + more, "midori.example.jp", as_of=as_of)
        for more, as_of in (
            ("\n_dmarc.midori.example.jp TXT v=DMARC1;p=reject", datetime(2026, 11, 22, tzinfo=UTC)),
            ("", datetime(2026, 11, 1, tzinfo=UTC)),
        )
    )
    world.write("list.csv", LIST.partition("aoba")[0])
    world.write("audits.json", json.dumps(now))
    world.write("before.json", json.dumps(before))
    for place, arguments, there in (
        ("a", (), False),
        ("b", ("--since", "before.json"), True),
        ("c", ("--since", "last", "--database", "kept.db"), False),
    ):
        done = world.send("--audits", "audits.json", "--for", "it", "--preview", place, *arguments)
        assert done.exit_code == 0, done.stderr
        assert ("difference" in parts_of(world.folder / place / "0001-midori.example.jp.eml")) == there
    assert "midori.example.jp: there is no earlier audit" in done.stderr
    world.write("audits.json", json.dumps({**now, "as_of": "2026-11-23T00:00:00Z"}))
    done = world.send(
        *("--audits", "audits.json", "--for", "it", "--preview", "d", "--since", "last", "--database", "kept.db")
    )
    assert "difference" in parts_of(world.folder / "d" / "0001-midori.example.jp.eml")


def test_a_policy_judges_the_clinics_and_not_the_sender(world: World) -> None:
    with served(CONSULTANT + GOOD) as dns:
        asking = World(world.folder, world.server, dns)
        asking.write("list.csv", "domain,email\nclinic.example.jp,info@clinic.example.jp\n")
        asked = ("--for", "it", "--preview", "look", "--database", "kept.db")
        done = asking.send(*asked, "--policy", "parked")
    assert done.exit_code == 0, done.stderr
    with open_reader("kept.db") as store:
        kept = store.audit_before("clinic.example.jp", datetime(2100, 1, 1, tzinfo=UTC))
    assert kept is not None
    assert "parked" in json.dumps(kept["policy"])


def test_a_policy_changes_nothing_in_saved_audits_and_is_refused(world: World) -> None:
    done = world.send("--audits", "audits.json", "--preview", "look", "--policy", "hospital")
    assert done.exit_code == 2
    assert "--policy changes nothing in saved audits" in done.stderr
    assert not (world.folder / "look").exists()


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--policy", "nosuch"), "nosuch"),
        (("--since", "missing.json"), "no such file"),
        (("--since", "last"), "--database"),
    ],
)
def test_what_cannot_be_compared_or_judged_is_told(world: World, options: tuple[str, ...], word: str) -> None:
    for lang in ("en", "ja"):
        done = world.send("--preview", "look", *options, lang=lang)
        assert done.exit_code == 2
        assert word in (done.stderr if lang == "en" else f"{done.stderr} {word}")
        assert not list((world.folder / "look").glob("*.eml"))


def test_a_domain_without_an_audit_is_told_of(world: World) -> None:
    world.write("list.csv", LIST + "hinata.example.jp,info@hinata.example.jp,,,,,\n")
    done = world.send("--audits", "audits.json", "--for", "director", "--preview", "look")
    assert done.exit_code == 1
    assert "hinata.example.jp, info@hinata.example.jp: not sent: there is no mail for them" in done.stdout


@pytest.mark.parametrize(
    "options", [("--preview", "look", "--yes"), ("--dry-run", "--yes"), ("--preview", "x", "--test-address", "a@b.jp")]
)
def test_one_thing_at_a_time(world: World, options: tuple[str, ...]) -> None:
    assert world.send(*options).exit_code == 2
