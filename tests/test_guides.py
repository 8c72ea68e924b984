"""The guide pages as prose: one voice, short sentences, terms explained, the same word for the same thing.

What the pages share with the rules (placeholders, that every rule has its pages) is in tests/test_specs.py.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import mean

import click
import pytest

from mailguard.guides import LANGUAGES, Guide, fill, load_guide
from mailguard.rules.catalogue import RULES

IDS = sorted(RULES)
GUIDES = Path(__file__).parents[1] / "mailguard" / "guides"

# A Japanese sentence is counted in characters, an English one in words. A code span counts as one short name, however
# long the record that will stand there: a reader skips it as one thing.
MEAN_LENGTH = {"ja": 60, "en": 20}
LONGEST = {"ja": 90, "en": 32}
SHORTEST_CODE = {"ja": "〇〇〇〇", "en": "code"}
LONGEST_TITLE = {"ja": 32, "en": 66}

_CODE = re.compile(r"`[^`\n]*`")
_SPEAKER = {"ja": re.compile(r"^- (?:[^：。`]{2,30}：)?"), "en": re.compile(r"^- (?:[A-Z][^:.`]{2,45}: )?")}
_SENTENCE_END = {"ja": re.compile(r"(?<=。)"), "en": re.compile(r"(?<=[.!?]) +")}

# A technical term on a page (outside code) and what on the same page explains it, in the words of docs/glossary.md or
# a parenthesis behind the term.
TERMS: dict[str, dict[str, tuple[str, str]]] = {
    "ja": {
        "DMARC": (
            r"DMARC",
            r"DMARC（ディーマーク）は|DMARC（[^）]*(設定|指示)）|DMARC：|・DMARC（送信元を|送信元を確かめる設定（SPF・DKIM・DMARC）",
        ),
        "SPF": (r"SPF", r"SPF（エスピーエフ）は|SPF（[^）]*名簿）|名簿（SPF）|SPF：|SPF・DKIM・DMARC|（SPF・DKIM"),
        "DKIM": (r"DKIM", r"電子の印鑑|SPF・DKIM・DMARC（送信元を|（SPF・DKIM・DMARC）"),
        "TXT": (r"TXTレコード", r"TXTレコード（DNSの台帳に書く1行）"),
        "DNS": (r"DNS(?!）管理会社)", r"DNSの台帳|DNSは、|DNS（"),
        "MX": (r"(?<!Null )MX", r"MXは、|（MX）|MX（|MX：メール"),
        "Null MX": (r"Null MX", r"Null MXは、|（Null MX）|Null MX（"),
        "CNAME": (r"CNAME", r"別名（CNAME）|別名のCNAME|CNAME（"),
        "TTL": (r"TTL", r"TTL（前の値が覚えられている時間"),
        "subdomain": (r"サブドメイン", r"サブドメインは、|サブドメイン（"),
        "selector": (r"セレクター", r"セレクターは.*印鑑の番号|セレクター（|（セレクター）"),
        "wildcard": (r"ワイルドカード", r"ワイルドカード（|ワイルドカードは"),
        "name server": (r"ネームサーバー", r"ネームサーバーは、|ネームサーバー（"),
        "report": (r"(?<!失敗)レポート", r"レポートは、|レポート（|集計だけの|の表が届きます"),
        "failure report": (r"失敗レポート", r"失敗レポートは、|失敗レポート（|1通ごと"),
        "header": (r"ヘッダー", r"ヘッダー（配送の記録）"),
        "mailing list": (r"メーリングリスト", r"メーリングリスト（"),
        "monitoring": (r"監視", r"様子を見る|`none`（監視）"),
        "quarantine": (r"隔離", r"迷惑メール"),
        "alignment": (r"アラインメント", r"一致（アラインメント）"),
        "IP address": (r"IPアドレス", r"IPアドレス（サーバーの住所）|新しい方式のIPアドレス"),
    },
    "en": {
        "DMARC": (
            r"DMARC",
            r"DMARC is the setting|DMARC[^.(]{0,12}\((the setting|what to do)|DMARC: a|settings by which",
        ),
        "SPF": (r"SPF", r"SPF is the list|SPF \(the list|SPF(?: record)?, the list|\(SPF\)|SPF: a|settings by which"),
        "DKIM": (r"DKIM", r"electronic seal|settings by which"),
        "TXT": (r"TXT records?", r"TXT records? \((one line|lines) in DNS, the public register\)"),
        "DNS": (r"DNS(?!\) company)", r"the public register"),
        "MX": (r"(?<!null )MX", r"MX records say|\(MX\)|MX hosts \(|MX: a"),
        "null MX": (r"null MX", r"null MX is|null MX \(|\(null MX\)"),
        "CNAME": (r"CNAME", r"alias \(CNAME\)|alias called CNAME|CNAME \("),
        "TTL": (r"TTL", r"TTL \(how long the old value is remembered"),
        "subdomain": (r"subdomains?", r"subdomain is a name|subdomains? \("),
        "selector": (r"selectors?", r"selector is its number|selector \(|\(the selector\)"),
        "wildcard": (r"wildcard", r"wildcard \("),
        "name server": (r"name servers?", r"name server answers from|name servers? \("),
        "report": (r"(?<!ailure )\breports\b", r"Reports are tables|reports? \(|how many mails came"),
        "failure report": (r"ailure reports?", r"ailure reports? \(|single mail"),
        "header": (r"headers?\b", r"headers? \(the record of its delivery\)"),
        "mailing list": (r"mailing lists?", r"mailing lists? \("),
        "quarantine": (r"\bquarantine\b", r"junk folder"),
        "alignment": (r"\balignment\b", r"\(alignment\)"),
    },
}
# Latin words that may stand on a Japanese page outside code: tags and terms of SPF, names of forms, this program.
# Words in capitals only are abbreviations or names.
LATIN = {
    *("rua", "ruf", "fo", "pct", "np", "sp", "psd", "ri", "rf", "mailto", "all", "redirect", "exp", "mx", "ptr"),
    *("RSAPublicKey", "SubjectPublicKeyInfo", "Null", "Sender", "IPv", "Gmail", "Microsoft", "mailguard", "jp", "ed"),
}

# One word for one thing: a pattern that no page may hold, and what to write.
WORDS: dict[str, dict[str, str]] = {
    "ja": {
        r"受け取る側(?!のアドレス)|受取側": "受信側",
        r"様子見": "監視",
        r"報告": "レポート",
        r"(?<!ドメイン（DNS）)(?<!制作)管理会社": "ドメイン（DNS）管理会社",
        r"プロバイダ(?!ー)|メール会社": "メール事業者",
        r"クリニック|貴院|御院": "当院",
        r"エラー": "認証に失敗／読み取れません",
        r"合格|検査に(通|落)": "認証に通る／認証に失敗する",
        r"アライメント": "アラインメント",
        r"サーバ(?!ー)|ヘッダ(?!ー)|セレクタ(?!ー)|フォルダ(?!ー)": "長音を付ける",
        r"この項目が(出|消)": "この指摘が出なければ",
        r"必須|ねばなりません|なければなりません|怠|ミス(?!プ)|落ち度|未設定": "責めない、義務と言わない",
        r"行き渡": "反映",
        r"間違えて設定|誤って設定": "責めない",
        r"[一二三]つ|二度|一通": "算用数字",
        r"DMARCを守る": "DMARCに従う受信側",
    },
    "en": {
        r"\b[Ff]orensic\b": "failure report",
        r"\b(forged|false) (mail|notice)": "fake mail",
        r"^- You:|Clinic staff": "Hospital staff",
        r"DNS\) provider": "Domain (DNS) company",
        r"\bthis item\b": "this finding",
        r"\b[Mm]andatory\b|\bmust\b|\bfault\b|\bcareless": "no blame, no duty that the source does not name",
        r"\blookups?\b": "look-up",
        r"\bsub-domains?\b": "subdomain",
        r"\be-?mails\b|\be-mail\b": "mail",
        r"[\u3040-\u30ff\u4e00-\u9fff]": "English",
    },
}
ACTORS = {
    "ja": ("院内の担当者", "管理会社", "メール事業者", "会社", "部門"),
    "en": ("staff", "company", "provider", "department"),
}


def pages(language: str) -> Iterator[Guide]:
    return (load_guide(rule_id, language) for rule_id in IDS)


def whole(guide: Guide) -> str:
    """Everything below the title, without code."""
    return _CODE.sub(" ", "\n".join((guide.summary, *(body for _, body in guide.sections))))


def sentences(text: str, language: str) -> Iterator[str]:
    """The sentences of a page's text. Who is spoken to at the head of a list line is no part of a sentence."""
    for line in text.splitlines():
        plain = _SPEAKER[language].sub("", _CODE.sub(SHORTEST_CODE[language], line).replace("{", "").replace("}", ""))
        yield from (part.strip() for part in _SENTENCE_END[language].split(plain) if part.strip())


def length(sentence: str, language: str) -> int:
    return len(sentence) if language == "ja" else len(re.findall(r"[\w'’-]+", sentence))


each_page = pytest.mark.parametrize(
    "guide",
    [page for language in LANGUAGES for page in pages(language)],
    ids=lambda guide: f"{guide.language}-{guide.rule_id}",
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_page_without_a_rule(language: str) -> None:
    assert sorted(path.stem for path in (GUIDES / language).glob("*.md")) == IDS


@each_page
def test_sentences_are_short(guide: Guide) -> None:
    language = guide.language
    text = "\n".join((guide.summary, *(body for _, body in guide.sections)))
    lengths = {sentence: length(sentence, language) for sentence in sentences(text, language)}
    assert mean(lengths.values()) <= MEAN_LENGTH[language]
    assert [sentence for sentence, count in lengths.items() if count > LONGEST[language]] == []


def test_measuring_a_sentence() -> None:
    text = "- 院内の担当者：今の値を控えます。`{at}` を見ます。\n- 二行目です。"
    assert [*sentences(text, "ja")] == ["今の値を控えます。", "〇〇〇〇 を見ます。", "二行目です。"]
    assert [*sentences("- Mail provider: say so. See `v=spf1 -all` here.", "en")] == ["say so.", "See code here."]
    assert length("See code here.", "en") == 3


@each_page
def test_title_is_one_plain_line_that_names_its_subject(guide: Guide) -> None:
    assert len(guide.title) <= LONGEST_TITLE[guide.language]
    assert not re.search(r"[`{}*。]|\.$", guide.title)
    subject = re.match(r"[A-Z]+", guide.rule_id)
    if subject and subject[0] in ("SPF", "DKIM"):
        assert subject[0] in guide.title


@pytest.mark.parametrize("language", LANGUAGES)
def test_titles_are_told_apart(language: str) -> None:
    titles = [guide.title for guide in pages(language)]
    assert len(set(titles)) == len(titles)


@each_page
def test_summary_is_one_or_two_sentences(guide: Guide) -> None:
    count = len([*sentences(guide.summary, guide.language)])
    assert 1 <= count <= 3, "three only where a short one says what to do or not to do"


@each_page
def test_terms_are_explained_on_the_page(guide: Guide) -> None:
    body = "\n".join((guide.summary, *(text for _, text in guide.sections)))
    plain = whole(guide)
    unexplained = [
        name
        for name, (term, explanation) in TERMS[guide.language].items()
        if re.search(term, plain) and not re.search(explanation, body)
    ]
    assert unexplained == []


@each_page
def test_one_word_for_one_thing(guide: Guide) -> None:
    text = f"{guide.title}\n{whole(guide)}"
    wrong = {
        pattern: right for pattern, right in WORDS[guide.language].items() if re.search(pattern, text, re.MULTILINE)
    }
    assert wrong == {}


@pytest.mark.parametrize("rule_id", IDS)
def test_japanese_pages_speak_japanese(rule_id: str) -> None:
    """Outside code no English but names, abbreviations and tags that the page shows."""
    text = f"{load_guide(rule_id, 'ja').title}\n{whole(load_guide(rule_id, 'ja'))}"
    words = set(re.findall(r"(?<![A-Za-z])[A-Za-z]{2,}", re.sub(r"\{[a-z_]+\}", "", text)))
    assert {word for word in words if not word.isupper()} <= LATIN


@each_page
def test_japanese_is_polite_and_english_is_a_sentence(guide: Guide) -> None:
    ends = ("。", "：", "`") if guide.language == "ja" else (".", ":", "`")
    lines = [line for _, body in guide.sections for line in body.splitlines() if line]
    # A list of facts ("- source: {sources}") has no sentences.
    assert [line for line in lines if not line.endswith(ends) and not re.fullmatch(r"- [^。.]+", line)] == []
    if guide.language == "ja":
        polite = re.compile(r"(です|ます|ません|でした|ました|ください)(（[^）]*）)?。$")
        ends_in = [part for part in sentences("\n".join((guide.summary, *lines)), "ja") if part.endswith("。")]
        assert [part for part in ends_in if not polite.search(part) and "：" not in part] == []


@each_page
def test_work_has_an_actor(guide: Guide) -> None:
    body = guide.sections[2][1]
    assert any(actor in body for actor in ACTORS[guide.language])


@each_page
def test_time_is_given_in_units(guide: Guide) -> None:
    body = guide.sections[3][1]
    units = (
        r"分|時間|日|週間|か月|作業がいりません|替えるとき"
        if guide.language == "ja"
        else r"minute|hour|day|week|month|No work|next change"
    )
    assert re.search(units, body)


@each_page
def test_undo_is_an_undo(guide: Guide) -> None:
    body = guide.sections[5][1]
    undo = (
        r"戻|削除|消すと|そのまま使えます|止めてもかまいません|急いで止める必要はありません"
        if guide.language == "ja"
        else r"back|[Dd]elete|undo|restore|as before|sign with the old|[Ss]witch|still receives"
    )
    assert re.search(undo, body)


def _commands(guide: Guide) -> list[list[str]]:
    found = re.findall(r"`(mailguard [^`]*)`", "\n".join(body for _, body in guide.sections))
    return [shlex.split(command) for command in found]


def _command(words: list[str]) -> tuple[click.Command, list[str]]:
    from mailguard.cli import main

    command: click.Command = main
    while isinstance(command, click.Group) and words:
        inner = command.get_command(click.Context(command), words[0])
        if inner is None:
            break
        command, words = inner, words[1:]
    return command, words


@each_page
def test_commands_exist(guide: Guide) -> None:
    for program, *words in _commands(guide):
        assert program == "mailguard"
        command, rest = _command(words)
        assert not isinstance(command, click.Group), words
        options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
        assert {word for word in rest if word.startswith("-")} <= options


@each_page
def test_a_way_to_check_is_named(guide: Guide) -> None:
    assert "`mailguard audit" in guide.sections[4][1]


@pytest.mark.parametrize("rule_id", IDS)
def test_languages_show_the_same_code(rule_id: str) -> None:
    """What is to be typed or looked for is the same in both languages, apart from examples made of words."""

    def codes(language: str) -> set[str]:
        body = "\n".join(
            (load_guide(rule_id, language).summary, *(text for _, text in load_guide(rule_id, language).sections))
        )
        spans = {
            span
            for span in _CODE.findall(body)
            if not re.search(r"[^\x00-\x7f]|NAME|tag=value|address for|name@", span)
        }
        return {span for span in spans if not re.search(r"`(yoyaku|appointments|uketsuke|reception)\.", span)}

    assert codes("ja") ^ codes("en") <= {"`mail.`", "`*`"}


def test_a_list_in_code_gives_each_item_its_own_span() -> None:
    facts: dict[str, object] = {"hosts": ("a.example", "b.example"), "none": (), "one": "x"}
    assert fill("`{hosts}` と `{one}`", facts, "ja") == "`a.example`、`b.example` と `x`"
    assert fill("`p={hosts}`", facts, "en") == "`p=a.example, b.example`"
    escape: Callable[[str], str] = str.upper
    assert fill("`{hosts}` {hosts}", facts, "en", str, escape) == "`A.EXAMPLE`, `B.EXAMPLE` a.example, b.example"


@pytest.mark.parametrize("language", LANGUAGES)
def test_inherited_protection_is_not_to_be_weakened(language: str) -> None:
    """Where quarantine is inherited, an own record with p=none would open the domain to everybody."""
    page = load_guide("DMARC054", language)
    assert not any("p=none" in body for _, body in page.sections)


@pytest.mark.parametrize(("language", "claim"), [("ja", "受け取れますが"), ("en", "Reports come in")])
def test_that_reports_arrive_is_not_said_where_only_the_record_was_seen(language: str, claim: str) -> None:
    page = load_guide("DMARC020", language)
    assert claim not in page.summary


_DOES = {"ja": re.compile(r"\{provider\}」[がは]"), "en": re.compile(r"\{provider\} (?!may\b)")}


@pytest.mark.parametrize("rule", ["ADDR004", "ADDR005"])
@pytest.mark.parametrize(("language", "reported"), [("ja", "とされ"), ("en", "is reported to")])
def test_what_a_provider_does_unasked_is_told_as_reported(rule: str, language: str, reported: str) -> None:
    """Of some it was seen in public records, or read in others' accounts alone."""
    page = (GUIDES / language / f"{rule}.md").read_text("utf-8")
    said = [sentence for sentence in _SENTENCE_END[language].split(page) if _DOES[language].search(sentence)]
    assert said
    assert [sentence for sentence in said if reported not in sentence] == []
