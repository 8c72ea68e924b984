"""``mailguard guide make`` and ``guide portfolio``: every option, every place, every mistake; never the network."""

from __future__ import annotations

import asyncio
import copy
import json
import re
import shlex
import socket
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from pypdf import PdfReader

from mailguard.audit import Audit, Plan, replay_audit
from mailguard.cli import guideoptions, main
from mailguard.cli.guide import make, portfolio
from mailguard.cli.guideoptions import ASKING, JUDGING
from mailguard.cli.saved import read_audits
from mailguard.errors import UsageError
from mailguard.evidence import Evidence
from mailguard.evidence.files import EvidenceWriter
from mailguard.guidebook.book import PARTS
from mailguard.inquiry import Answer, Question
from mailguard.inquiry import run as answer
from mailguard.names import DomainName
from mailguard.policy.shelf import load_providers
from mailguard.render.document import Document
from mailguard.render.fitting import load_schema
from mailguard.store import open_store
from mailguard.survey import take_survey
from tests.guidebook.books import can_draw
from tests.guidebook.people import document
from tests.render.documents import AS_OF, PROBE, document_of
from tests.store.samples import filed, record, report
from tests.zones import Zone

CLINIC = "clinic.example.jp"
OTHER = "other.example.jp"
DAY_S = 86_400
MANUAL = Path(__file__).parents[2] / "docs" / "guide.md"

ZONE = """
{0}         MX   10 mx.{0}
mx.{0}      A    192.0.2.1
{0}         TXT  "v=spf1 ip4:192.0.2.1 -all"
"""
DMARC = '_dmarc.{0} TXT "v=DMARC1; p={1}; rua=mailto:dmarc@{0}"'

draws = pytest.mark.skipif(not can_draw(), reason="what draws PDF, or a Japanese font, is missing")


@cache
def audit(domain: str = CLINIC, policy: str = "", day: int = 22) -> Document:
    """An audit of a domain with a policy, or with none, on a day of November."""
    zone = ZONE.format(domain) + (DMARC.format(domain, policy) if policy else "")
    return document_of(zone, domain, as_of=datetime(2026, 11, day, 9, tzinfo=UTC))


UNANSWERED = document("unknown")


def nobody(*_: object, **__: object) -> None:
    raise AssertionError("the network was asked")


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A folder of its own, and no way out of it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MAILGUARD_LANG", "en")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(asyncio.BaseEventLoop, "create_datagram_endpoint", nobody)
    monkeypatch.setattr(asyncio.BaseEventLoop, "create_connection", nobody)
    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    save("audits.json", audit(), audit(OTHER, "reject"))
    save("one.json", audit())


def save(file: str, *documents: Document) -> None:
    Path(file).write_text(json.dumps(documents if len(documents) > 1 else documents[0]), "utf-8")


def run(*arguments: object, code: int = 0) -> Result:
    done = CliRunner().invoke(main, ["guide", *map(str, arguments)])
    assert done.exception is None or isinstance(done.exception, SystemExit), repr(done.exception)
    assert "Traceback" not in done.output
    assert "mailguard itself" not in done.output
    assert done.exit_code == code, done.output
    return done


def book(*arguments: object, code: int = 0) -> dict[str, Any]:
    """A guide as JSON."""
    found: dict[str, Any] = json.loads(run(*arguments, "--format", "json", code=code).stdout)
    return found


def parts(*arguments: object) -> list[str]:
    return [part["id"] for part in book(*arguments)["parts"]]


def part(found: dict[str, Any], name: str) -> str:
    return json.dumps(next(one for one in found["parts"] if one["id"] == name), ensure_ascii=False)


FIRST_BYTES = {
    "html": b"<!DOCTYPE html>",
    "markdown": b"# ",
    "text": b"",
    "json": b"{",
    "pdf": b"%PDF-",
    "docx": b"PK",
    "xlsx": b"PK",
    "mail": b"",
}
TEXT_FORMS = ("html", "markdown", "text", "json")
BINARY_FORMS = [
    *(pytest.param(form, marks=draws) for form in ("pdf", "mail")),
    *("docx", "xlsx"),
]


@pytest.mark.parametrize("form", TEXT_FORMS)
@pytest.mark.parametrize("language", ["ja", "en"])
def test_one_guide_goes_to_standard_output(form: str, language: str) -> None:
    done = run(CLINIC, "--audits", "audits.json", "--format", form, "--lang", language)
    assert done.stdout_bytes.startswith(FIRST_BYTES[form])
    assert CLINIC in done.stdout
    assert ("Guide against mail in our name" in done.stdout) is (language == "en")
    assert done.stderr == ""


def test_make_need_not_be_said() -> None:
    short = run(CLINIC, "--audits", "audits.json", "--format", "text").stdout.splitlines()
    assert run("make", CLINIC, "--audits", "audits.json", "--format", "text").stdout.splitlines() == short


@pytest.mark.parametrize("form", ["pdf", "docx", "xlsx", "mail"])
@pytest.mark.parametrize("place", [(), ("-o", "-")])
def test_what_is_no_text_goes_to_no_terminal(form: str, place: tuple[str, ...]) -> None:
    done = run("--audits", "one.json", "--format", form, *place, code=2)
    assert (done.stdout, "-o" in done.stderr) == ("", True)


@pytest.mark.parametrize("form", [*(form for form in TEXT_FORMS), *BINARY_FORMS])
def test_every_form_goes_into_a_folder(form: str) -> None:
    done = run("--audits", "one.json", "--format", form, "-o", "out/")
    files = sorted(Path("out").iterdir())
    assert files
    assert all(file.read_bytes().startswith(FIRST_BYTES[form]) and file.name.startswith(CLINIC) for file in files)
    assert done.stdout == ""
    assert done.stderr == "".join(f"{CLINIC}: {file}\n" for file in files)


def test_several_forms_of_several_guides_go_into_a_folder() -> None:
    run("--audits", "audits.json", "--format", "html", "--format", "text", "--format", "html", "-o", "out")
    names = {f"{domain}.{form}" for domain in (CLINIC, OTHER) for form in ("html", "txt")}
    assert {file.name for file in Path("out").iterdir()} == names


@pytest.mark.parametrize("arguments", [("--audits", "one.json"), (CLINIC, "--audits", "audits.json")])
def test_one_guide_in_one_form_is_a_file(arguments: tuple[str, ...]) -> None:
    Path("guide.html").write_text("old")
    run(*arguments, "-o", "guide.html")
    assert Path("guide.html").read_bytes().startswith(b"<!DOCTYPE html>")
    assert {path.name for path in Path().iterdir()} == {"audits.json", "one.json", "guide.html"}


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--audits", "audits.json"), "More than one file"),
        (("--audits", "one.json", "--format", "html", "--format", "text"), "More than one file"),
        (("--audits", "audits.json", "-o", "guide.html"), "name a folder"),
        (("--audits", "one.json", "--format", "docx", "-o", "letter.docx"), "name a folder"),
        (("--audits", "one.json", "-o", "/dev/null"), "no ordinary file"),
        (("--audits", "audits.json", "-o", "one.json/below"), "a part of the path is a file"),
    ],
)
def test_places_that_cannot_be_are_refused_before_anything_is_made(arguments: tuple[str, ...], word: str) -> None:
    before = {path: path.read_bytes() for path in Path().iterdir()}
    assert word in run(*arguments, code=2).stderr
    assert {path: path.read_bytes() for path in Path().iterdir()} == before
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize("place", ["no/such/guide.html", "one.json/guide.html"])
def test_a_place_that_cannot_be_is_wrong_use(place: str) -> None:
    done = run("--audits", "one.json", "-o", place, code=2)
    assert "cannot be written" in done.stderr


READERS = {
    "director": ({"director", "todo", "difference", "glossary"}, {"findings", "monitoring", "checksheet", "incident"}),
    "it": ({"findings", "evidence", "difference", "monitoring", "checksheet"}, set[str]()),
    "vendor": ({"letters"}, {"director", "training"}),
    "staff": ({"training", "glossary"}, {"director", "findings", "evidence"}),
}


@pytest.mark.parametrize("reader", READERS)
def test_readers_get_their_parts_and_no_others(reader: str) -> None:
    wanted, unwanted = READERS[reader]
    save("before.json", audit(day=1))
    found = set(parts("--audits", "one.json", "--for", reader, "--since", "before.json"))
    assert wanted <= found
    assert not unwanted & found


def test_readers_add_up() -> None:
    everything = parts("--audits", "one.json")
    assert parts("--audits", "one.json", "--for", "all", "--for", "staff") == everything
    together = set(parts("--audits", "one.json", "--for", "staff", "--for", "it"))
    assert together == {*parts("--audits", "one.json", "--for", "staff"), *parts("--audits", "one.json", "--for", "it")}


def test_parts_are_chosen_by_name() -> None:
    assert parts("--audits", "one.json", "--part", "director") == ["director"]
    assert parts("--audits", "one.json", "--part", "glossary", "--part", "todo") == ["todo", "glossary"]
    assert "either --for or --part" in run("--audits", "one.json", "--for", "it", "--part", "todo", code=2).stderr
    assert "'poem'" in run("--audits", "one.json", "--part", "poem", code=2).stderr


def test_the_parts_that_can_be_named_are_those_of_a_guide() -> None:
    assert guideoptions.PARTS == PARTS


@draws
@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_directors_page_is_one_page(language: str) -> None:
    run("--audits", "one.json", "--part", "director", "--format", "pdf", "--lang", language, "-o", "page.pdf")
    assert len(PdfReader("page.pdf").pages) == 1


def test_a_director_is_not_given_everything() -> None:
    """The page, who does what by when, what changed, and what the words mean."""
    save("before.json", audit(day=1))
    for_director = parts("--audits", "one.json", "--for", "director", "--since", "before.json")
    assert for_director == ["director", "todo", "difference", "glossary"]


def test_there_may_be_no_letter() -> None:
    done = run("--audits", "one.json", "--format", "docx", "--for", "director", "-o", "out")
    assert "there is no letter" in done.stderr
    assert list(Path("out").iterdir()) == []


def test_a_check_sheet_is_for_it() -> None:
    assert "check sheet" in run("--audits", "one.json", "--format", "xlsx", "--for", "staff", "-o", "x").stderr


def test_a_form_with_nothing_to_hold_stops_no_other() -> None:
    done = run("--audits", "audits.json", "--for", "vendor", "--format", "html", "--format", "xlsx", "-o", "out")
    assert "no check sheet is written" in done.stderr
    assert sorted(path.name for path in Path("out").iterdir()) == [f"{CLINIC}.html", f"{OTHER}.html"]


def test_a_day_that_is_past_or_is_none_is_told() -> None:
    assert "is past" in run("--audits", "one.json", "--due", "2020-01-01", code=2).stderr
    assert "no such day" in run("--audits", "one.json", "--since", "2026-13-01", code=2).stderr


@draws
def test_an_unknown_font_is_told_of() -> None:
    done = run("--audits", "one.json", "--format", "pdf", "--font", "Nonsuch", "-o", "x.pdf", code=2)
    assert "Nonsuch" in done.stderr
    assert not Path("x.pdf").exists()


def test_a_brand_is_used() -> None:
    Path("ours").mkdir()
    Path("ours/brand.toml").write_text('name = "Example IT Support"\n', "utf-8")
    assert "Example IT Support" in run("--audits", "one.json", "--brand", "ours").stdout


@pytest.mark.parametrize(
    ("files", "word"),
    [
        ({}, "ours"),
        ({"brand.toml": "name = ["}, "brand.toml"),
        ({"brand.toml": 'nmae = "x"'}, "nmae"),
        ({"brand.toml": 'name = "x"\nlogo = "gone.svg"'}, "gone.svg"),
        ({"brand.toml": 'name = "x"', "templates/base.html.j2": "{% block x %}\n{{ y"}, "base.html.j2"),
    ],
)
def test_a_broken_brand_is_told_of_by_its_file(files: dict[str, str], word: str) -> None:
    for name, content in files.items():
        path = Path("ours") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8")
    done = run("--audits", "one.json", "--brand", "ours", "-o", "x.html", code=2)
    assert word in done.stderr
    assert not Path("x.html").exists()


def test_clinic_and_day_stand_in_the_guide() -> None:
    found = book("--audits", "one.json", "--clinic", "みどり医院", "--due", "2031-02-03")
    assert "みどり医院" in part(found, "letters")
    assert "3 February 2031" in part(found, "todo")
    assert "3 February 2031" not in part(book("--audits", "one.json"), "todo")


def test_what_strangers_could_write_is_shown_and_not_obeyed() -> None:
    done = run("--audits", "one.json", "--clinic", "<script>alert(1)</script>\u202e", "--format", "html")
    assert "<script" not in done.stdout
    assert "\u202e" not in done.stdout


def test_furigana_are_there_when_asked_for() -> None:
    assert "<ruby>" not in run("--audits", "one.json", "--lang", "ja").stdout
    assert "<ruby>" in run("--audits", "one.json", "--lang", "ja", "--furigana").stdout


def test_a_deciding_question_without_an_answer_has_an_exit_code_of_its_own() -> None:
    save("unanswered.json", UNANSWERED)
    assert run("--audits", "unanswered.json", "-o", "x.html", code=3)
    assert Path("x.html").exists()


WRONG: list[tuple[tuple[str, ...], str]] = [
    ((), "Name a domain"),
    (("..",), "two dots"),
    (("nobody.example.jp", "--audits", "audits.json"), "no audit of nobody.example.jp"),
    (("--audits", "missing.json"), "no such file"),
    (("--audits", "."), "it is a folder"),
    (("--audits", "one.json", "--replay", "one.json"), "not both"),
    (("--replay", "missing.json"), "missing.json"),
    (("--replay", "one.json"), "one.json"),
    (("--audits", "one.json", "--format", "gif"), "gif"),
    (("--audits", "one.json", "--lang", "fr"), "fr"),
    (("--audits", "one.json", "--days", "0"), "0"),
    (("--audits", "one.json", "--since", "last"), "--database"),
    (("--audits", "one.json", "--since", "2026-11-01"), "--database"),
    (("--audits", "one.json", "--since", "missing.json"), "no such file"),
    ((CLINIC, "--policy", "nosuch"), "nosuch"),
    (("--audits", "one.json", "--config", "missing.toml"), "no such file"),
    (("--audits", "one.json", "--database", "mysql://h/x"), "a file or postgresql://"),
]


@pytest.mark.parametrize("command", ["make", "portfolio"])
@pytest.mark.parametrize(("arguments", "word"), WRONG, ids=[" ".join(line) for line, _ in WRONG])
def test_wrong_use_is_told_in_a_sentence(command: str, arguments: tuple[str, ...], word: str) -> None:
    assert word in run(command, *arguments, "-o", "x.html", code=2).stderr
    told = run(command, *arguments, "-o", "x.html", "--lang", "ja", code=2).stderr if "fr" not in arguments else "あ"
    assert any("\u3040" < letter < "\u9fff" for letter in told), told
    assert not Path("x.html").exists()


WITHOUT_EFFECT: list[tuple[str, ...]] = [
    ("--policy", "hospital"),
    ("--selector", "s1"),
    ("--mailing-lists", "no"),
    ("--sends",),
    ("--no-sends",),
    ("--receives",),
    ("--no-receives",),
    ("--second-opinion",),
    ("--no-second-opinion",),
    ("--nameserver", "192.0.2.53"),
    ("--timeout", "6"),
    ("--jobs", "32"),
]


@pytest.mark.parametrize("command", ["make", "portfolio"])
@pytest.mark.parametrize("option", WITHOUT_EFFECT, ids=" ".join)
def test_what_changes_nothing_in_saved_audits_is_refused(command: str, option: tuple[str, ...]) -> None:
    told = run(command, "--audits", "one.json", *option, "-o", "x.html", code=2).stderr
    assert f"{option[0]} changes nothing in saved audits; leave it out, or audit again without --audits." in told
    told = run(command, "--audits", "one.json", *option, "-o", "x.html", "--lang", "ja", code=2).stderr
    assert f"{option[0]} を指定しても、保存した監査は変わりません。" in told
    assert not Path("x.html").exists()


def test_every_option_of_a_guide_is_known_to_have_an_effect_on_saved_audits_or_not() -> None:
    """A new option has to be put into one of the lists."""
    has_effect = {
        *("domains", "files", "furigana", "brand", "font", "since", "audits", "replay", "database", "config", "days"),
        *("forms", "output", "readers", "parts", "clinic", "due", "hide_names", "pages", "lang", "help"),
    }
    for command in (make, portfolio):
        names = {str(parameter.name) for parameter in command.params}
        assert names - has_effect == JUDGING | ASKING


@pytest.mark.parametrize(("option", "value"), [("--due", "soon"), ("--for", "patients")])
def test_values_that_no_option_has(option: str, value: str) -> None:
    assert value in run("--audits", "one.json", option, value, code=2).stderr


def broken() -> Iterator[tuple[str, bytes]]:
    whole = audit()
    yield "empty", b""
    yield "no JSON", b"{"
    yield "no UTF-8", b'"\xff"'
    yield "a number", b"1"
    yield "a list of numbers", b"[1, 2]"
    yield "deep", b"[" * 100_000
    yield "foreign", b'{"schema": "something-else/1"}'
    yield "evidence", json.dumps({"schema": "mailguard-evidence/1"}).encode()
    yield "only a head", json.dumps({"schema": whole["schema"], "domain": CLINIC, "as_of": whole["as_of"]}).encode()
    for name in load_schema("audit-1")["required"]:
        yield f"without {name}", json.dumps({key: value for key, value in whole.items() if key != name}).encode()
    for name in whole:
        yield f"other {name}", json.dumps({**whole, name: [[None]]}).encode()
    for domain in ("../../etc/x", "/etc/x", "a/b", ".x", "", "A.example", "a\0b"):
        yield f"domain {domain!r}", json.dumps({**whole, "domain": domain}).encode()
    yield "no audit", b"[]"
    for moment in ("", "yesterday", "2026-11-22T09:00:00", "9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00+00:00"):
        yield f"as_of {moment!r}", json.dumps({**whole, "as_of": moment}).encode()
    bent = copy.deepcopy(whole)
    bent["findings"][0]["severity"] = "dreadful"
    yield "a severity of its own", json.dumps(bent).encode()


BROKEN = dict(broken())


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_file_that_holds_no_audits_is_refused(content: bytes) -> None:
    Path("broken.json").write_bytes(content)
    with pytest.raises(UsageError, match="holds no audits"):
        read_audits(Path("broken.json"))
    assert {path.name for path in Path().iterdir()} == {"audits.json", "one.json", "broken.json"}


@pytest.mark.parametrize("option", ["--audits", "--since"])
def test_refusing_is_told_in_a_sentence(option: str) -> None:
    Path("broken.json").write_bytes(BROKEN["foreign"])
    arguments = {"--audits": "one.json", option: "broken.json"}
    words = [word for pair in arguments.items() for word in pair]
    assert "holds no audits" in run(*words, "-o", "x.html", code=2).stderr


def test_a_finding_of_a_rule_that_nobody_knows_here_is_named(tmp_path: Path) -> None:
    later = copy.deepcopy(document("open"))
    later["findings"][0]["rule"] = "SPF999"
    path = tmp_path / "later.json"
    path.write_text(json.dumps(later), "utf-8")
    with pytest.raises(UsageError, match="SPF999"):
        read_audits(path)


def test_lines_of_audits_are_read_too_and_the_latest_of_a_domain_counts() -> None:
    documents = [audit(day=20), audit(policy="reject", day=22), audit(OTHER), audit(policy="none", day=21)]
    Path("audits.ndjson").write_text("".join(json.dumps(one) + "\n" for one in documents), "utf-8")
    found = read_audits(Path("audits.ndjson"))
    assert [(one["domain"], one["as_of"][8:10]) for one in found] == [(CLINIC, "22"), (OTHER, "22")]


def evidence_of(domain: DomainName) -> Evidence:
    world = Zone.parse(ZONE.format(domain))
    seen: dict[Question, Answer] = {}

    def source(question: Question) -> Answer:
        return seen.setdefault(question, world(question))

    answer(take_survey(domain, selectors=(), probe_label=PROBE, knowledge=load_providers()), source)
    return Evidence(domain, AS_OF, PROBE, (), answers=tuple(seen.values()))


def save_evidence() -> None:
    """Evidence of the clinic, in a file."""
    with Path("evidence.json").open("w", encoding="utf-8") as file:
        EvidenceWriter(file, "mailguard").add(evidence_of(DomainName(CLINIC)))


def test_saved_evidence_is_judged_again() -> None:
    save_evidence()
    run("--replay", "evidence.json", "--no-second-opinion", "-o", "guide.html")
    assert Path("guide.html").is_file()
    found = book(CLINIC, "--replay", "evidence.json", "--no-second-opinion")
    saved = book("--audits", "one.json")
    assert [one["id"] for one in found["parts"]] == [one["id"] for one in saved["parts"]]
    assert part(found, "findings") == part(saved, "findings")
    assert "no evidence" in run(OTHER, "--replay", "evidence.json", code=2).stderr


def test_the_difference_to_the_last_kept_audit_is_shown() -> None:
    save("first.json", audit(day=1))
    save("second.json", audit(policy="none", day=10))
    save("third.json", audit(policy="reject", day=20))
    database = ("--database", "kept.db")
    for name in ("first", "second"):
        run("--audits", f"{name}.json", "-o", "x.html", *database)
    found = book("--audits", "third.json", "--since", "last", *database)
    assert "10 November 2026" in part(found, "difference")
    found = book("--audits", "third.json", "--since", "2026-11-05", *database)
    assert "1 November 2026" in part(found, "difference")
    assert "v=DMARC1; p=reject" in part(found, "difference"), "there was no DMARC record on the first day"
    # What was kept on that very day counts, and what is made from the same audit again is compared with the one before.
    assert "10 November 2026" in part(book("--audits", "third.json", "--since", "2026-11-10", *database), "difference")
    assert "10 November 2026" in part(book("--audits", "third.json", "--since", "last", *database), "difference")


def test_where_no_earlier_audit_is_kept_that_is_said() -> None:
    done = run("--audits", "one.json", "--since", "last", "--database", "kept.db", "--format", "json")
    assert "there is no earlier audit" in done.stderr
    assert "difference" not in [one["id"] for one in json.loads(done.stdout)["parts"]]
    save("before.json", audit(OTHER, day=1))
    assert "no earlier audit" in run("--audits", "one.json", "--since", "before.json", "-o", "x.html").stderr


def test_a_later_audit_is_no_earlier_one() -> None:
    """Else what got worse would be told as solved."""
    save("first.json", audit(day=1))
    save("second.json", audit(policy="reject", day=10))
    assert "no earlier audit" in run("--audits", "first.json", "--since", "second.json", "-o", "x.html").stderr
    found = book("--audits", "second.json", "--since", "first.json")
    assert "1 November 2026" in part(found, "difference")


def test_an_audit_is_kept_once_and_only_where_there_is_a_database() -> None:
    for _ in range(2):
        run("--audits", "one.json", "-o", "x.html", "--database", "kept.db")
    with open_store("kept.db") as store:
        assert len(store.list_audits()) == 1
    run("--audits", "one.json", "-o", "x.html")
    assert not Path("mailguard.db").exists()


def fill_with_reports(place: str) -> int:
    """Reports of the last days; how many messages they tell of."""
    yesterday = int(time.time()) // DAY_S * DAY_S - DAY_S
    mails = [
        filed(
            report(
                record("192.0.2.1", 90 + n),
                record("198.51.100.7", 3, passes=False),
                report_id=f"r-{n}",
                begin=yesterday - n * DAY_S,
            )
        )
        for n in range(5)
    ]
    with open_store(place) as store:
        store.add(mails)
    return sum(90 + n + 3 for n in range(5))


def test_a_guide_tells_what_the_reports_of_a_real_database_show() -> None:
    messages = fill_with_reports("reports.db")
    without = part(book("--audits", "one.json"), "monitoring")
    found = part(book("--audits", "one.json", "--database", "reports.db"), "monitoring")
    assert "198.51.100.7" not in without
    for told in (str(messages), "198.51.100.7", "192.0.2.1", "reporter.example"):
        assert told in found, told
    fewer = part(book("--audits", "one.json", "--database", "reports.db", "--days", "2"), "monitoring")
    assert str(messages) not in fewer
    Path("mailguard.toml").write_text('[database]\nurl = "reports.db"\n', "utf-8")
    assert str(messages) in part(book("--audits", "one.json", "--config", "mailguard.toml"), "monitoring")


def test_the_database_in_this_folder_is_used_without_a_word() -> None:
    messages = fill_with_reports("mailguard.db")
    assert str(messages) in part(book("--audits", "one.json"), "monitoring")


@pytest.mark.parametrize(
    ("content", "word", "code"), [(b"no database at all, not a bit", "it is no database", 4), (None, "folder", 2)]
)
def test_a_database_that_is_none_is_told(content: bytes | None, word: str, code: int) -> None:
    if content is None:
        Path("x.db").mkdir()
    else:
        Path("x.db").write_bytes(content * 50)
    assert word in run("--audits", "one.json", "--database", "x.db", code=code).stderr


def test_a_portfolio_goes_to_standard_output_to_a_file_and_to_a_folder() -> None:
    done = run("portfolio", "--audits", "audits.json")
    assert done.stdout.startswith("<!DOCTYPE html>")
    run("portfolio", "--audits", "audits.json", "-o", "all.html")
    done = run("portfolio", "--audits", "audits.json", "--format", "html", "--format", "markdown", "-o", "out")
    assert {path.name for path in Path("out").iterdir()} == {"portfolio.html", "portfolio.md"}
    assert done.stderr.splitlines() == ["2 domains: out/portfolio.html", "2 domains: out/portfolio.md"]


@pytest.mark.parametrize("form", TEXT_FORMS)
@pytest.mark.parametrize("language", ["ja", "en"])
def test_hidden_names_are_nowhere_in_the_report(form: str, language: str) -> None:
    save("before.json", audit(day=1), audit(OTHER, "none", day=1))
    common = ("portfolio", "--audits", "audits.json", "--format", form, "--lang", language, "--since", "before.json")
    assert CLINIC in run(*common).stdout
    hidden = run(*common, "--hide-names").stdout
    for name in (CLINIC, OTHER, "clinic.", "other."):
        assert name not in hidden.replace("other.</", "").replace("each other.", ""), name


def test_a_clinic_keeps_its_hidden_number_where_a_database_keeps_the_key() -> None:
    def numbers(*options: str) -> list[str]:
        told = run("portfolio", "--audits", "audits.json", "--format", "text", "--lang", "en", "--hide-names", *options)
        return re.findall(r"Clinic ([0-9]{6})\b", told.stdout)

    kept = numbers("--database", "one.db")
    assert len(kept) == 2
    assert numbers("--database", "one.db") == kept
    assert not set(numbers("--database", "two.db")) & set(kept)
    assert not set(numbers()) & set(numbers()), "without one, numbers are good for one report"


def test_pages_of_clinics_name_them() -> None:
    assert (
        "--pages names the clinics"
        in run("portfolio", "--audits", "audits.json", "--pages", "--hide-names", code=2).stderr
    )
    assert "portfolio-pages" not in parts("portfolio", "--audits", "audits.json")
    found = part(book("portfolio", "--audits", "audits.json", "--pages"), "portfolio-pages")
    assert CLINIC in found
    assert OTHER in found


def test_progress_since_last_time_is_in_the_portfolio() -> None:
    database = ("--database", "kept.db")
    save("before.json", audit(day=1), audit(OTHER, day=1))
    run("portfolio", "--audits", "before.json", "-o", "x.html", *database)
    found = run("portfolio", "--audits", "audits.json", "--since", "last", "--format", "text", *database).stdout
    assert "2026" in found
    assert found != run("portfolio", "--audits", "audits.json", "--format", "text", *database).stdout


@draws
def test_a_portfolio_as_pdf() -> None:
    run("portfolio", "--audits", "audits.json", "--format", "pdf", "-o", "all.pdf")
    assert Path("all.pdf").read_bytes().startswith(b"%PDF-")


def test_a_guide_is_the_same_whoever_makes_it() -> None:
    """But for the day on which it is made."""
    first, second = (run("--audits", "one.json", "--format", "text").stdout for _ in range(2))
    assert first == second


def test_days_of_audits_are_days_of_the_clinic() -> None:
    """09:00 UTC is 18:00 in Japan."""
    moment = datetime(2026, 11, 22, 9, tzinfo=UTC) + timedelta(hours=9)
    assert f"{moment:%H:%M}" in run("--audits", "one.json", "--format", "text", "--lang", "ja").stdout


def examples() -> list[str]:
    """What follows ``mailguard guide`` in the examples of the manual."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", MANUAL.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return re.findall(r"^mailguard guide (.*)$", "\n".join(blocks), re.MULTILINE)


def test_there_are_examples() -> None:
    assert len(examples()) >= 8


@pytest.mark.parametrize("line", examples())
def test_examples_of_the_manual_do_what_they_say(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if "pdf" in line and not can_draw():
        pytest.skip("what draws PDF, or a Japanese font, is missing")
    save_evidence()
    monkeypatch.setattr("mailguard.cli.guiding.asked", asked)
    run("--audits", "one.json", "-o", "first.html", "--database", "mailguard.db")
    Path("first.html").unlink()
    Path("domains.csv").write_text(f"{CLINIC}\n{OTHER}\n", "utf-8")
    Path("our-brand").mkdir()
    Path("our-brand/brand.toml").write_text('name = "Example IT Support"\n', "utf-8")
    save("audits.json", audit())
    words = shlex.split(line)
    done = run(*words)
    made = Path(words[words.index("-o") + 1]) if "-o" in words else None
    assert done.stdout if made is None else made.exists()
    assert made is None or made.is_dir() is words[words.index("-o") + 1].endswith("/")


async def asked(domains: list[DomainName], plan: Plan, *_: object) -> AsyncIterator[Audit]:
    """Audits as the network would have given them."""
    for domain in domains:
        yield replay_audit(evidence_of(domain), plan)
