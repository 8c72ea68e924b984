"""Every document there is, in every form: what the forms promise to those who read them, person or machine."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import jsonschema
import pytest

from mailguard.render.data import COLUMNS, Csv, Json, Ndjson
from mailguard.render.document import Document
from mailguard.render.markdown import Markdown
from mailguard.render.sarif import Sarif
from mailguard.render.terminal import Terminal, columns
from mailguard.rules.catalogue import RULES
from tests.render.documents import all_documents, document_of

SCHEMA = json.loads((files("mailguard.render") / "schema" / "audit-1.schema.json").read_text("utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())
LANGUAGES = ("ja", "en")


def shown(renderer: Any, *documents: Document) -> str:
    return renderer.begin() + "".join(renderer.item(document) for document in documents) + renderer.end()  # type: ignore[no-any-return]


def test_every_document_follows_the_published_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    faults = {
        title: [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(document)]
        for title, document in all_documents().items()
    }
    assert {title: errors for title, errors in faults.items() if errors} == {}


def test_the_schema_holds_for_programmes_and_a_second_opinion_too() -> None:
    document = document_of(
        'clinic.example.jp TXT "v=spf1 mx ~all"', policies=("hospital", "gmail", "docomo"), second_opinion=True
    )
    assert document["programmes"]
    assert document["second_opinion"]
    assert [error.message for error in VALIDATOR.iter_errors(document)] == []


class TestJson:
    def test_one_domain_is_one_object_and_several_are_an_array(self) -> None:
        one, two, *_ = all_documents().values()
        assert json.loads(shown(Json(single=True), one)) == one
        assert json.loads(shown(Json(single=False), one, two)) == [one, two]
        assert json.loads(shown(Json(single=False))) == []

    def test_every_document_comes_back_as_it_was(self) -> None:
        documents = [*all_documents().values()]
        for ascii_only in (True, False):
            assert json.loads(shown(Json(single=False, ascii_only=ascii_only), *documents)) == documents
            lines = shown(Ndjson(ascii_only=ascii_only), *documents).splitlines()
            assert [json.loads(line) for line in lines] == documents


class TestCsv:
    def rows(self) -> list[dict[str, str]]:
        text = shown(Csv(), *all_documents().values())
        assert text.startswith("\ufeff")
        assert text.count("\n") == text.count("\r\n"), "lines end as RFC 4180 says"
        return [*csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))]

    def test_one_row_for_each_domain_with_every_column(self) -> None:
        rows = self.rows()
        assert len(rows) == len(all_documents())
        assert {tuple(row) for row in rows} == {COLUMNS}
        assert all(None not in row.values() for row in rows)

    def test_a_row_says_what_the_document_says(self) -> None:
        for row, document in zip(self.rows(), all_documents().values(), strict=True):
            assert row["domain"] == document["domain"]
            assert row["spoofable_domain"] == document["spoofable"]["domain"]
            assert row["spf_status"] == document["spf"]["status"]
            assert int(row["unanswered"]) == len(document["unanswered"])
            total = sum(int(row[severity]) for severity in ("critical", "high", "medium", "low", "info"))
            assert total == len([one for one in document["findings"] if not one["waived"]])

    def test_no_cell_is_a_formula(self) -> None:
        for row in self.rows():
            assert [cell for cell in row.values() if cell.lstrip().startswith(("=", "+", "-", "@", "\t", "\r"))] == []


@pytest.fixture(scope="module", params=LANGUAGES)
def log(request: pytest.FixtureRequest) -> dict[str, Any]:
    return json.loads(shown(Sarif(request.param), *all_documents().values()))  # type: ignore[no-any-return]


class TestSarif:
    """SARIF 2.1.0: sections 3.13 (log), 3.14 (run), 3.19 (tool component), 3.27 (result), 3.33 (logical location)."""

    def test_the_log_has_one_run_of_one_tool(self, log: dict[str, Any]) -> None:
        assert (log["version"], set(log)) == ("2.1.0", {"$schema", "version", "runs"})
        (run,) = log["runs"]
        assert set(run) == {"tool", "results"}
        assert run["tool"]["driver"]["name"] == "mailguard"

    def test_every_rule_is_described_once(self, log: dict[str, Any]) -> None:
        rules = log["runs"][0]["tool"]["driver"]["rules"]
        assert [rule["id"] for rule in rules] == [*RULES]
        for rule in rules:
            assert rule["shortDescription"]["text"]
            assert rule["help"]["text"]
            assert rule["defaultConfiguration"]["level"] in ("error", "warning", "note")

    def test_every_result_has_a_known_rule_a_level_a_message_and_a_place(self, log: dict[str, Any]) -> None:
        results = log["runs"][0]["results"]
        assert len(results) == sum(len(document["findings"]) for document in all_documents().values())
        for result in results:
            assert result["ruleId"] in RULES
            assert result["level"] in ("error", "warning", "note", "none")
            assert result["message"]["text"]
            (location,) = result["locations"]
            assert location["logicalLocations"][0]["fullyQualifiedName"]
            assert all(isinstance(value, str) for value in result["partialFingerprints"].values())

    def test_no_placeholder_is_left(self, log: dict[str, Any]) -> None:
        for result in log["runs"][0]["results"]:
            assert not re.search(r"(?<![%\\u])\{[a-z_]+\}", result["message"]["text"])

    def test_a_run_without_findings_is_a_log_too(self) -> None:
        assert json.loads(shown(Sarif("en")))["runs"][0]["results"] == []

    def test_a_waived_finding_is_suppressed_with_its_reason(self) -> None:
        document = next(one for one in all_documents().values() if one["findings"])
        waiver = {"reason": "we move in March", "until": "2027-03-31", "expired": False}
        waived = {**document, "findings": [{**document["findings"][0], "waived": waiver}]}
        (result,) = json.loads(shown(Sarif("en"), waived))["runs"][0]["results"]
        assert result["suppressions"] == [{"kind": "external", "justification": "we move in March"}]
        ended = {**document, "findings": [{**document["findings"][0], "waived": {**waiver, "expired": True}}]}
        assert "suppressions" not in json.loads(shown(Sarif("en"), ended))["runs"][0]["results"][0]


PEOPLE: dict[str, Callable[[str], Any]] = {"terminal": Terminal, "markdown": Markdown}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("form", PEOPLE)
class TestForPeople:
    def test_every_document_is_shown_whole(self, form: str, language: str) -> None:
        for title, document in all_documents().items():
            text = shown(PEOPLE[form](language), document)
            for finding in document["findings"]:
                assert finding["rule"] in text, title
            assert not re.search(r"(?<![%\\u\w])\{[a-z_]+\}", text), f"{title}: a placeholder is left"

    def test_nothing_found_is_said_only_of_what_was_answered(self, form: str, language: str) -> None:
        all_clear = {"ja": "\n直すところは見つかりませんでした。", "en": "Nothing to correct was found."}[language]
        limited = {"ja": "回答があった範囲では", "en": "In what was answered, nothing"}[language]
        for title, document in all_documents().items():
            text = re.sub(r"^ +", "", shown(PEOPLE[form](language), document), flags=re.MULTILINE)
            assert (all_clear in text) == (not document["findings"] and not document["unanswered"]), title
            judged = any(document[part]["status"] != "unanswered" for part in ("spf", "dmarc", "dkim", "mx"))
            assert (limited in text) == (not document["findings"] and bool(document["unanswered"]) and judged), title

    def test_every_record_to_publish_stands_there_to_be_copied(self, form: str, language: str) -> None:
        for title, document in all_documents().items():
            text = shown(PEOPLE[form](language), document)
            for finding in document["findings"]:
                for record in finding["fix"]["records"] if finding["fix"] else ():
                    assert all(f"+ {value}\n" in text for value in record["after"] if value.isascii()), title

    def test_a_public_suffix_is_told_from_the_domain_of_one_organisation(self, form: str, language: str) -> None:
        sentence = {"ja": "1つの組織のドメインではありません", "en": "is not the domain of one organisation"}[language]
        for domain, told in (("co.jp", True), ("lg.jp", True), ("clinic.example.jp", False)):
            document = document_of(f"{domain} NS ns.example", domain)
            assert document["public_suffix"] is told
            assert (sentence in PEOPLE[form](language).item(document)) is told

    def test_whose_network_is_at_fault_reads_what_to_do_and_no_comfort(self, form: str, language: str) -> None:
        told = {
            "ja": ("インターネットにつながっていないようです", "何も判定できませんでした"),
            "en": ("not to reach the", "Nothing could be judged"),
        }
        comfort = {"ja": "見つかりませんでした", "en": "nothing to correct"}[language]
        documents = all_documents()
        for world, sentence in zip(("everything is denied", "everything !timeout"), told[language], strict=True):
            text = re.sub(r"\n +", "" if language == "ja" else " ", shown(PEOPLE[form](language), documents[world]))
            assert sentence in text
            assert "--nameserver" in text
            assert comfort not in text

    def test_a_server_that_cannot_be_reached_has_not_been_waited_for(self, form: str, language: str) -> None:
        silent = all_documents()["everything !timeout"]
        rows = [{**row, "note": "unreachable"} for row in silent["unanswered"]]
        reached = {"ja": "DNSサーバーにつながりません", "en": "the DNS server could not be reached"}[language]
        waited = {"ja": "時間内", "en": "no answer in time"}[language]
        renderer = PEOPLE[form](language)
        text = renderer.item({**silent, "unanswered": rows})
        assert reached in text
        assert waited not in text
        assert waited in renderer.item(silent)


class TestTerminal:
    def test_japanese_speaks_no_english_but_what_was_published(self) -> None:
        """Codes that a table of phrases does not know would be shown as they are."""
        codes = re.compile(r"\b(unanswered|permerror|not-asked|servfail|paste-as-is|needs-your|unknown|nxdomain)\b")
        for title, document in all_documents().items():
            text = Terminal("ja").item({**document, "findings": []})
            assert not codes.search(text), title

    def test_prose_stays_within_the_width(self) -> None:
        for document in all_documents().values():
            lines = [line.strip() for line in Terminal("ja", width=80).item(document).splitlines()]
            prose = [line for line in lines if line and not line[0].isascii() and not line.startswith("「")]
            assert [line for line in prose if columns(line) > 80] == []

    def test_mailing_lists_are_asked_about_once_and_only_where_it_matters(self) -> None:
        documents = all_documents()
        bare = next(one for title, one in documents.items() if title.startswith("DMARC001 fires"))
        question = "Do people post to mailing lists"
        assert shown(Terminal("en", asks=True), bare, bare).count(question) == 1
        assert question not in shown(Terminal("en", asks=False), bare)
        told = {**bare, "expectation": {**bare["expectation"], "mailing_lists": "no"}}
        assert question not in shown(Terminal("en", asks=True), told)
        asked = next(one for title, one in documents.items() if title.startswith("DMARC058 fires"))
        assert question not in shown(Terminal("en", asks=True), asked), "the finding asks already"
        missing = documents["nothing exists"]
        assert [finding["rule"] for finding in missing["findings"]] == ["ZONE001"]
        assert question not in shown(Terminal("en", asks=True), missing), "nobody is there to ask about"
        assert question not in shown(Terminal("en", asks=True), {**bare, "public_suffix": True})
        parked = next(one for one in documents.values() if one["parked"]["status"] == "perfect")
        assert question not in shown(Terminal("en", asks=True), parked)
