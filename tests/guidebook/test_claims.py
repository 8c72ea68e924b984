"""No text of a guide says anything of law, guidelines, fees, statistics or others' rules without a source."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

import pytest

from mailguard.guidebook.blocks import (
    Book,
    Bullets,
    Card,
    Heading,
    Kind,
    Paragraph,
    Reader,
    Rich,
    Span,
    code,
    fact,
    plain,
)
from mailguard.guidebook.book import make_book
from mailguard.guidebook.claims import Claim, Claims, load_claims, parse_claims, told
from mailguard.guidebook.contacts import load_contacts
from mailguard.guidebook.marks import Mark, own_code
from mailguard.guidebook.pages import page_blocks, page_inline
from mailguard.guidebook.texts import Texts
from mailguard.render.book.text import render_text
from mailguard.resources import policies
from mailguard.traffic import SourceClass
from tests.guidebook.cases import case_of, spans_in, traffic
from tests.guidebook.cases import source as address
from tests.guidebook.injection import poisoned_document
from tests.guidebook.people import STORIES, document, part_of
from tools.guide_catalogue import ROOT, catalogues, messages

TELLTALE = {
    "ja": re.compile(
        r"義務|必須|ガイドライン|チェックリスト|法律|法令|医療法|施行規則|令和|平成|[0-9]\s*[%％]|[0-9]万|統計|調査では|要請"
        r"|厚生労働省|総務省|警察庁|個人情報保護委員会|加算|Gmail|Google|Yahoo|ドコモ|Microsoft|Apple|KDDI|SoftBank"
    ),
    "en": re.compile(
        r"\b(mandatory|obligat\w+|guidelines?|checklists?|percent|laws?|legal\w*|ministry|regulations?|fiscal year"
        r"|survey|statistics|government|commission|police agency"
        r"|docomo|gmail|google|yahoo|microsoft|apple|kddi|softbank)\b"
        r"|[0-9]\s*%",
        re.IGNORECASE,
    ),
}

ALLOWED = {
    "booklet-7-documents": "headings and names; its statements are all claims, which another test counts",
    "booklet-8-ask": "names whom to ask",
    "training-place": "points to the newest notices",
    "incident-takeover": "points to the commission's pages",
    "glossary.sources-lead": "says what the list of sources is",
    "ADDR006": "the local government is the owner of the domain there",
    "SPF038": "the number is that of RFC 7208 section 4.6.4 or of the programme that the finding names",
    "SPF001": "policies/gmail.toml holds the requirement with its source",
    "ZONE009": "names the product whose name was seen in DNS",
    "findings.programmes.text": "says that a mail company's requirement is no law",
    "checksheet.marks.near": "says that the clause does not ask for the item",
    "clauses.title": "a title; the clauses are data with their sources (policies/guide/guideline.toml)",
    "clauses.lead": "says what the table is",
    "clauses.items": "a heading; the items are data with their sources",
}
"""Where such a word may stand without a claim, and why."""

_SENTENCE = re.compile(r"(?<=[。！？])|\n|(?<=[.!?])\s")


def statements(language: str) -> Iterator[tuple[str, str]]:
    """Every sentence of every text of the guide, with the place where it stands."""
    for path in catalogues(language).values():
        for message, text in messages(path).items():
            yield from ((message, sentence) for sentence in _SENTENCE.split(text))
    for path in sorted((ROOT / "mailguard" / "guides").glob(f"**/{language}/*.md")):
        yield from ((path.stem, sentence) for sentence in _SENTENCE.split(path.read_text("utf-8")))


def without_claims(language: str) -> list[tuple[str, str]]:
    """Sentences with a telltale word that neither name a claim nor stand where they may."""
    return [
        (place, sentence)
        for place, sentence in statements(language)
        if TELLTALE[language].search(re.sub(r"`claim:[^`]*`", "", sentence)) and "`cite:" not in sentence
        if place not in ALLOWED
    ]


@pytest.mark.parametrize("language", ["ja", "en"])
def test_no_text_states_a_rule_without_a_source(language: str) -> None:
    assert without_claims(language) == []


def test_every_allowance_is_needed() -> None:
    stood = {
        place
        for language in ("ja", "en")
        for place, sentence in statements(language)
        if TELLTALE[language].search(re.sub(r"`[^`]*`", "", sentence))
    }
    assert ALLOWED.keys() - stood == set()


def marks(language: str) -> set[str]:
    """Ids of the claims that texts bring in."""
    return {
        match[1] for _, sentence in statements(language) for match in re.finditer(r"`(?:claim|cite):([^`]*)`", sentence)
    }


def test_both_languages_make_the_same_statements() -> None:
    assert marks("ja") == marks("en")


def test_every_statement_is_known_and_used() -> None:
    claims = load_claims()
    used = marks("ja") | {contact.claim for contact in load_contacts() if contact.claim}
    assert used == set(claims.claims)
    assert {source for claim in claims.claims.values() for source in claim.sources} == set(claims.sources)


def test_every_source_has_a_place_and_a_day() -> None:
    for source in load_claims().sources.values():
        assert source.url.startswith(("https://", "http://")), source.id
        assert date(2026, 1, 1) <= source.read_on <= date(2030, 1, 1), source.id


REPORTED = {
    "ja": re.compile("(とされて|と解説されて|と報じられて)います。$"),
    "en": re.compile(r"\b(is (said|reported) to|It is said that)\b"),
}
"""The words of report, with which what was read in others' accounts alone is told."""


def is_second_hand(claim: Claim, claims: Claims) -> bool:
    """Whether no source of a statement was read itself."""
    return all(claims.sources[source].standing == "S" for source in claim.sources)


def told_as_fact(claims: Claims) -> list[tuple[str, str]]:
    """Second-hand statements that are told without the words of report, each with its language."""
    return [
        (claim.id, language)
        for claim in claims.claims.values()
        for language, words in REPORTED.items()
        if is_second_hand(claim, claims) and not words.search(claim.says.of(language))
    ]


def test_what_was_read_in_others_accounts_alone_is_told_as_reported() -> None:
    assert told_as_fact(load_claims()) == []


def test_a_sentence_of_a_texts_own_is_marked_with_what_was_read_itself() -> None:
    """Such a sentence is no statement of the data, so nothing would ask it for the words of report."""
    known, places = load_claims(), [place for language in ("ja", "en") for place in statements(language)]
    cited = {(place, claim) for place, text in places for claim in re.findall("`cite:([^`]*)`", text)}
    assert not [mark for mark in cited if is_second_hand(known.claims[mark[1]], known)]


def test_no_statement_says_that_the_guideline_asks_for_dmarc() -> None:
    for claim in load_claims().claims.values():
        if "DMARC" in claim.says.ja:
            assert not re.search(r"ガイドライン.*(求め|必要|義務)", claim.says.ja), claim.id
            assert not re.search(r"guideline.*(asks for|requires|demands)", claim.says.en), claim.id


def test_no_telephone_number_is_printed() -> None:
    data = (policies() / "guide" / "contacts.toml").read_text("utf-8")
    assert not re.search(r"0\d{1,4}-\d{1,4}-\d{3,4}|@", data)


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("name", ["training", "incident", "booklet"])
@pytest.mark.parametrize("story", STORIES)
def test_a_part_shows_where_its_statements_were_read(name: str, story: str, language: str) -> None:
    part = part_of(name, story, language)
    assert part is not None
    spans = tuple(spans_in(part.blocks))
    assert not [span for span in spans if isinstance(span, Mark)]
    cited = {number for span in spans if span.target == f"#{name}-sources" for number in re.findall(r"\d+", span.text)}
    (anchor,) = (index for index, block in enumerate(part.blocks) if _is_anchor(block, f"{name}-sources"))
    sources = part.blocks[anchor + 1]
    assert isinstance(sources, Bullets)
    assert cited == {str(number) for number in range(1, len(sources.items) + 1)}


def _is_anchor(block: object, anchor: str) -> bool:
    return isinstance(block, Heading) and block.anchor == anchor


def rich(*spans: Span) -> Rich:
    return spans


def test_a_statement_takes_the_place_of_its_mark_however_deep() -> None:
    inner = Paragraph(rich(Span("では、"), own_code("claim:rule"), Span("以上です。")))
    card, _, sources, _ = told((Card((), (Bullets(((inner,),)),)),), Texts("ja"), "x")
    claim = load_claims().claims["rule"]
    spans = tuple(spans_in((card,)))
    assert plain(spans) == f"では、{claim.says.ja}[1, 2]以上です。"
    assert [span.target for span in spans if span.kind is Kind.LINK] == ["#x-sources"]
    assert isinstance(sources, Bullets)
    assert len(sources.items) == len(claim.sources)


def test_a_sentence_of_its_own_is_marked() -> None:
    first, *_ = told((Paragraph(rich(Span("そうです。"), own_code("cite:latest"))),), Texts("ja"), "x")
    assert isinstance(first, Paragraph)
    assert plain(first.text) == "そうです。[1]"


def test_a_source_cited_twice_keeps_its_number() -> None:
    twice = Paragraph(rich(own_code("claim:leak"), own_code("claim:leak-days")))
    first, *_ = told((twice,), Texts("en"), "x")
    assert isinstance(first, Paragraph)
    assert plain(first.text).count("[1]") == 2


def test_without_statements_there_are_no_sources() -> None:
    blocks = (Paragraph(rich(Span("こんにちは。"))),)
    assert told(blocks, Texts("ja"), "x") == blocks


def test_an_unknown_statement_is_our_mistake() -> None:
    with pytest.raises(KeyError):
        told((Paragraph(rich(own_code("claim:no-such"))),), Texts("ja"), "x")


FORGED = ("claim:rule", "claim:no-such", "cite:rule", "cite:no-such", "claim:")
"""What a stranger may write: a statement of ours, one that is none, and half a mark."""


@pytest.mark.parametrize("text", FORGED)
def test_a_strangers_text_is_no_mark_however_it_reads(text: str) -> None:
    strange = Paragraph(rich(Span("記録は"), code(text), fact(text)))
    assert told((strange,), Texts("ja"), "x") == (strange,)
    # Not where our own text or page puts it between backticks, either.
    assert not any(isinstance(span, Mark) for span in page_inline("See `{record}`.", {"record": text}, "en"))
    (filled,) = page_blocks("`{record}`", {"record": text}, "ja")
    assert told((filled,), Texts("ja"), "x") == (filled,)


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("text", FORGED)
def test_a_strangers_text_forges_no_source_in_a_whole_book(text: str, language: str) -> None:
    seen = traffic(address(text, 10, 0, SourceClass.UNKNOWN))
    for story in ("open", "no-mail"):
        honest, forged = document(story), poisoned_document(document(story), text)
        books = [make_book(case_of(one, traffic=seen), language, readers=tuple(Reader)) for one in (honest, forged)]
        assert text in render_text(books[1])
        assert not [span for part in books[1].parts for span in spans_in(part.blocks) if isinstance(span, Mark)]
        assert citations(books[0]) == citations(books[1])


def citations(book: Book) -> list[tuple[str, int]]:
    """How many numbers of sources stand in each part, and how many sources."""
    links = {part.id: [one for one in spans_in(part.blocks) if one.kind is Kind.LINK] for part in book.parts}
    return [(part, sum("-sources" in one.target or "//" in one.target for one in links[part])) for part in links]


SOURCE = '[[source]]\nid = "s"\ntitle = { ja = "題", en = "t" }\nurl = "https://example.jp/"\n'
CLAIM = '[[claim]]\nid = "c"\nsources = ["s"]\nja = "です。"\nen = "It is."\n'


def test_statements_are_read_strictly() -> None:
    whole = f'{SOURCE}read_on = 2026-11-22\nstanding = "V"\n'
    assert parse_claims(whole + CLAIM).claims["c"].says.en == "It is."
    for broken in (
        whole.replace('"V"', '"R"') + CLAIM,  # what is only recalled is no source
        whole.replace("2026-11-22", '"2026"') + CLAIM,
        whole + CLAIM.replace('["s"]', "[]"),
        whole + CLAIM.replace('["s"]', '["x"]'),
        whole + CLAIM.replace('"です。"', '""'),
        whole + CLAIM + CLAIM,
    ):
        with pytest.raises(ValueError, match="claims"):
            parse_claims(broken)


def test_only_statements_without_a_source_that_was_read_itself_need_the_words_of_report() -> None:
    account = f'{SOURCE}read_on = 2026-11-22\nstanding = "S"\n'
    read = account.replace('"S"', '"V"')
    both = account + read.replace('id = "s"', 'id = "t"')
    reported = CLAIM.replace("です。", "とされています。").replace("It is.", "It is said that it is.")
    assert told_as_fact(parse_claims(account + CLAIM)) == [("c", "ja"), ("c", "en")]
    assert told_as_fact(parse_claims(account + reported.replace("とされています。", "です。"))) == [("c", "ja")]
    assert told_as_fact(parse_claims(account + reported)) == []
    assert told_as_fact(parse_claims(read + CLAIM)) == []
    assert told_as_fact(parse_claims(both + CLAIM.replace('["s"]', '["s", "t"]'))) == []
