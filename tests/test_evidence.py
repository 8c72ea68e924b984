"""Evidence: what was seen survives being written down, and damage is told in one sentence."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.errors import EvidenceError
from mailguard.evidence import Evidence, source_of
from mailguard.evidence.codec import format_evidence, parse_evidence
from mailguard.evidence.files import EvidenceWriter, load_evidence
from mailguard.inquiry import Answer, Inquiry, Mx, Question, Rdata, RRType, Status, Txt, ask_all, run, together
from mailguard.names import DomainName, name
from tests.zones import Zone

DOCUMENT = Path(__file__).parents[1] / "docs" / "evidence-format.md"
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=timezone(timedelta(hours=9)))


def documented_example() -> str:
    return DOCUMENT.read_text(encoding="utf-8").split("```json\n")[1].split("```")[0]


def example() -> Evidence:
    return parse_evidence(documented_example().splitlines()[1])


TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
NAMES = st.from_regex(r"[a-z0-9_-]{1,8}(\.[a-z0-9_-]{1,8}){0,3}", fullmatch=True).map(DomainName)
FLOATS = st.floats(0, 2e9)
RDATA: dict[RRType, st.SearchStrategy[Rdata]] = {
    **dict.fromkeys(RRType, st.from_regex(r"[0-9a-z .:]{1,20}", fullmatch=True)),
    **dict.fromkeys((RRType.CNAME, RRType.NS, RRType.PTR), NAMES),
    **dict.fromkeys((RRType.TXT, RRType.SPF), st.lists(st.binary(max_size=9), min_size=1).map(tuple).map(Txt)),
    RRType.MX: st.builds(Mx, st.integers(0, 65_535), NAMES | st.just(DomainName(""))),
}


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    question = Question(draw(NAMES), draw(st.sampled_from(RRType)))
    status = draw(st.sampled_from(Status))
    records = tuple(draw(st.lists(RDATA[question.rrtype], min_size=1, max_size=4))) if status is Status.DATA else ()
    return Answer(
        question,
        status,
        records,
        tuple(draw(st.lists(NAMES, max_size=3))),
        draw(st.none() | st.integers(0, 2**31)),
        draw(st.booleans()),
        draw(st.none() | st.integers(0, 4095)),
        draw(TEXTS),
        draw(FLOATS),
        draw(FLOATS),
        draw(TEXTS),
    )


EVIDENCE = st.builds(
    Evidence,
    NAMES,
    st.datetimes(datetime(2, 1, 1), timezones=st.sampled_from([UTC, NOON.tzinfo])),
    TEXTS,
    st.lists(TEXTS, max_size=3).map(tuple),
    st.dictionaries(
        TEXTS,
        st.none() | st.booleans() | st.integers() | FLOATS | TEXTS | st.lists(TEXTS, max_size=2).map(tuple),
        max_size=3,
    ),
    st.lists(answers(), max_size=4, unique_by=lambda answer: answer.question).map(tuple),
)


class TestCodec:
    @given(EVIDENCE)
    def test_reading_after_writing_is_identity(self, evidence: Evidence) -> None:
        line = format_evidence(evidence)
        assert "\n" not in line
        again = parse_evidence(line)
        assert again == evidence
        for one, other in zip(again.answers, evidence.answers, strict=True):
            assert [type(record) for record in one.records] == [type(record) for record in other.records]

    def test_octets_that_are_no_utf8_survive(self) -> None:
        records = (Txt((b"\xe6\xff\x00", "病院".encode(), b"", b"\r\n\x1b[31m")),)
        answer = Answer(Question(name("clinic.example.jp"), RRType.TXT), Status.DATA, records)
        line = format_evidence(Evidence(name("clinic.example.jp"), NOON, "x", answers=(answer,)))
        assert '{"hex":"e6ff00"},"病院"' in line
        assert parse_evidence(line).answers == (answer,)

    def test_the_documented_example_is_read_and_written_as_it_stands(self) -> None:
        header, line = documented_example().splitlines()
        assert json.loads(header)["version"] == 1
        assert format_evidence(parse_evidence(line)) == line

    def test_every_status_and_type_is_documented(self) -> None:
        text = DOCUMENT.read_text(encoding="utf-8")
        assert all(f"`{status}`" in text for status in Status)
        assert all(rrtype in text for rrtype in RRType)

    def test_fields_from_later_versions_are_ignored(self) -> None:
        said = json.loads(format_evidence(example()))
        said["answers"][0]["colour"] = said["mood"] = "blue"
        assert parse_evidence(json.dumps(said)) == example()

    @pytest.mark.parametrize(
        ("damage", "complaint"),
        [
            (lambda e: e.pop("domain"), '"domain" of the line is missing'),
            (lambda e: e.update(domain=7), '"domain" of the line is no text'),
            (lambda e: e.update(as_of="yesterday"), '"as_of" is no time'),
            (lambda e: e.update(as_of="2026-11-22T03:00:00"), "no time zone"),
            (lambda e: e.update(selectors=[1]), "no list of texts"),
            (lambda e: e.update(options={"a": {}}), 'the option "a"'),
            (lambda e: e.update(answers={}), '"answers" of the line is no list'),
            (lambda e: e.update(answers=["x"]), "an answer is no JSON object"),
            (lambda e: e.update(answers=e["answers"] * 2), "stands there twice"),
            (lambda e: e.update(answers=e["answers"] * 500), "more than 1,000 answers"),
            (lambda e: e["answers"][0].update(type="HTTPS"), "'HTTPS' is no record type"),
            (lambda e: e["answers"][0].update(status="fine"), "'fine' is no status"),
            (lambda e: e["answers"][0].update(status="nxdomain"), "the status nxdomain and 2 records"),
            (lambda e: e["answers"][0].update(records=[]), "the status data and 0 records"),
            (lambda e: e["answers"][0].update(records=["v=spf1"]), "another form than its type"),
            (lambda e: e["answers"][0].update(records=[[{"hex": "xy"}]]), "no hexadecimal"),
            (lambda e: e["answers"][0].update(records=[["\ud800"]]), "half a character"),
            (lambda e: e["answers"][0].update(ttl_s=-1), "out of range"),
            (lambda e: e["answers"][0].update(ttl_s=True), '"ttl_s"'),
            (lambda e: e["answers"][0].update(asked_at=10**400), "out of range"),
            (lambda e: e["answers"][1].update(records=[{"preference": 65536, "exchange": ""}]), "out of range"),
            (lambda e: e["answers"][1].update(records=[10]), "no JSON object"),
        ],
    )
    def test_damage_is_named(self, damage: Callable[[dict[str, Any]], object], complaint: str) -> None:
        said = json.loads(format_evidence(example()))
        damage(said)
        with pytest.raises(EvidenceError) as refusal:
            parse_evidence(json.dumps(said))
        assert complaint in str(refusal.value)

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
            max_leaves=10,
        ),
        st.sampled_from(["domain", "as_of", "selectors", "options", "answers", None]),
    )
    def test_whatever_stands_there_only_evidence_errors_come_out(self, value: object, key: str | None) -> None:
        said = value if key is None else {**json.loads(format_evidence(example())), key: value}
        answer = {**json.loads(format_evidence(example()))["answers"][0], "records": value, "note": value}
        for attempt in (said, {**json.loads(format_evidence(example())), "answers": [answer]}):
            with suppress(EvidenceError):
                parse_evidence(json.dumps(attempt))

    def test_deep_nesting_is_refused(self) -> None:
        with pytest.raises(EvidenceError):
            parse_evidence("[" * 200_000)


class TestFiles:
    def test_a_file_is_read_domain_by_domain(self, tmp_path: Path) -> None:
        stream = io.StringIO()
        writer = EvidenceWriter(stream, "mailguard 0.1.0")
        domains = [replace(example(), domain=name(f"d{n}.example")) for n in range(3)]
        for evidence in domains:
            writer.add(evidence)
        path = tmp_path / "evidence.ndjson"
        path.write_text(stream.getvalue(), encoding="utf-8")
        assert list(load_evidence(path)) == domains

    def test_the_documented_example_loads(self, tmp_path: Path) -> None:
        path = tmp_path / "evidence.ndjson"
        path.write_text("\ufeff" + documented_example() + "\n", encoding="utf-8")
        (evidence,) = load_evidence(path)
        assert (evidence.domain, len(evidence.answers)) == ("clinic.example.jp", 6)

    def test_what_came_before_the_damage_is_given(self, tmp_path: Path) -> None:
        path = tmp_path / "evidence.ndjson"
        path.write_text(documented_example() + documented_example().splitlines()[1][:200], encoding="utf-8")
        reading = load_evidence(path)
        assert next(reading) == example()
        with pytest.raises(EvidenceError, match=r"^Line 3 of the evidence file .* cut short") as refusal:
            next(reading)
        assert "\n" not in str(refusal.value)

    @pytest.mark.parametrize(
        ("octets", "complaint"),
        [
            (b"", "is empty"),
            (b"\x00\xff\xfe", "no UTF-8"),
            (b"domain,spf\n", "no mailguard evidence file"),
            (b'{"version":1}\n', "no mailguard evidence file"),
            (b"[]\n", "no mailguard evidence file"),
            (b'{"format":"mailguard-evidence","version":2}\n', "format version 2"),
            (b'{"format":"mailguard-evidence","version":true}\n', "format version True"),
        ],
    )
    def test_another_file_is_refused(self, tmp_path: Path, octets: bytes, complaint: str) -> None:
        path = tmp_path / "evidence.ndjson"
        path.write_bytes(octets)
        with pytest.raises(EvidenceError, match=complaint) as refusal:
            list(load_evidence(path))
        assert str(path) in str(refusal.value)
        assert str(refusal.value).endswith(".")

    def test_a_line_without_end_is_not_read_to_its_end(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("mailguard.evidence.files.MAX_LINE_OCTETS", 1024 * 1024)
        path = tmp_path / "evidence.ndjson"
        path.write_bytes(documented_example().splitlines()[0].encode() + b"\n" + b" " * 1024 * 1024 * 2)
        with pytest.raises(EvidenceError, match="longer than 1 MiB"):
            list(load_evidence(path))

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(EvidenceError, match=r"nowhere\.ndjson cannot be read"):
            list(load_evidence(tmp_path / "nowhere.ndjson"))


class TestReplay:
    ZONE = """
        clinic.example.jp   TXT    "v=spf1 include:slow.example include:gone.example -all"
        clinic.example.jp   MX     10 mail.clinic.example.jp
        slow.example        TXT    !timeout
        bad.example         TXT    !servfail
        bad.example         MX     !refused
        www.example         CNAME  clinic.example.jp
    """

    @staticmethod
    def judge(domain: str) -> Inquiry[tuple[object, ...]]:
        """A small audit: what it finds depends on every kind of answer."""
        spf, mx = yield from ask_all([Question(name(domain), RRType.TXT), Question(name(domain), RRType.MX)])
        words = b" ".join(spf.texts).decode().split()
        targets = [word.removeprefix("include:") for word in words if word.startswith("include:")]
        includes = yield from together(
            *(ask_all([Question(name(target), RRType.TXT)]) for target in (*targets, "a..unaskable", "www.example"))
        )
        return spf.texts, mx.exchanges, [(a.status, a.texts, a.aliases, a.note) for (a,) in includes]

    def seen(self, domain: str) -> tuple[tuple[object, ...], Evidence]:
        zone, record = Zone.parse(self.ZONE), dict[Question, Answer]()

        def source(question: Question) -> Answer:
            over = ".unaskable" in question.name
            answer = Answer(question, Status.NOT_ASKED, note="unaskable") if over else zone(question)
            return record.setdefault(question, answer)

        findings = run(self.judge(domain), source)
        return findings, Evidence(name(domain), NOON, "x", answers=tuple(record.values()))

    @pytest.mark.parametrize(
        "domain", ["clinic.example.jp", "bad.example", "slow.example", "www.example", "no.example"]
    )
    def test_a_replay_finds_the_same(self, domain: str) -> None:
        findings, evidence = self.seen(domain)
        replayed = parse_evidence(format_evidence(evidence))
        assert run(self.judge(domain), source_of(replayed)) == findings

    def test_what_the_evidence_does_not_have_is_not_asked(self) -> None:
        question = Question(name("other.example"), RRType.TXT)
        answer = source_of(example())(question)
        assert (answer.status, answer.note, answer.absent) == (Status.NOT_ASKED, "evidence", False)
