"""The interface words of the demonstration and its guide, Japanese first.

Sentences about findings are not here: those are guide pages (``mailguard/guides``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final

_JAPAN: Final = timezone(timedelta(hours=9), "JST")
_REIWA_FROM: Final = date(2019, 5, 1)


@dataclass(frozen=True, slots=True)
class Words:
    """All words of one language. Texts with ``{...}`` are for ``str.format``."""

    title: str
    demonstration: str
    questions_asked: str
    answer_heading: str
    posing_as: str
    verdict: str
    because: str
    answer_note: str
    scopes: Mapping[str, str]
    verdicts: Mapping[str, str]
    reasons: Mapping[str, str]
    traffic_heading: str
    traffic_said: str
    traffic_note: str
    traffic_omitted: str
    no_traffic: str
    source: str
    messages: str
    passed: str
    reading: str
    readings: Mapping[str, str]
    reporters: str
    reporter_said: str
    findings_heading: str
    no_findings: str
    severities: Mapping[str, str]
    waived: str
    fix_heading: str
    readiness: Mapping[str, str]
    at_name: str
    before: str
    after: str
    limits_heading: str
    unanswered: str
    limits: tuple[str, ...]
    steps: Mapping[str, str]
    languages: Mapping[str, str]

    def questions(self, count: int) -> str:
        """How many questions were asked."""
        return self.questions_asked.format(count=f"{count:,}")


JA: Final = Words(
    title="なりすましメール対策の確認結果",
    demonstration="これは架空の病院を使った実演です。病院名、メール、送信元の数字は実在しません。",
    questions_asked="DNSへの質問 {count}件",
    answer_heading="第三者がこの名前でメールを送れますか",
    posing_as="名乗る差出人",
    verdict="送れるか",
    because="理由",
    answer_note="DMARC（ディーマーク）の宣言を尊重する受信側での答えです。",
    scopes={
        "domain": "だれか@{domain}",
        "subdomain": "実在するサブドメイン",
        "nonexistent_subdomain": "存在しないサブドメイン",
    },
    verdicts={"yes": "送れます", "no": "送れません", "partly": "一部送れます", "unknown": "分かりません"},
    reasons={
        "reject": "「拒否」の宣言があり、SPFも第三者を通しません",
        "quarantine": "「隔離」の宣言があり、迷惑メールに入ります",
        "policy-none": "宣言が「監視」のため、偽のメールは止まりません",
        "no-policy": "DMARCの宣言がまだ公開されていません",
        "spf-passes-everyone": "SPF（送信サーバーの名簿）がだれでも通します",
        "key-open-to-all": "DKIM（電子署名）の鍵をだれでも使えます",
        "spf-unknown": "SPFが第三者を通すかどうかを確認できませんでした",
        "unanswered": "判断に必要なDNSの答えが得られませんでした",
        "tightens-policy": "検査に合わないメールの扱いが厳しくなります。送信元をそろえてから変えます。",
        "loosens-policy": "検査に合わないメールの扱いが緩やかになります。それが目的にかなうことを確かめます。",
        "tightens-spf": "名簿にないサーバーからのメールが検査に合わなくなります。",
        "loosens-spf": "名簿にないサーバーについて、今より緩やかな終わり方になります。",
        "record-of-others": "このドメインより上のドメインにあるレコードです。管理している方に相談します。",
        "stops-authorizing": "今は名簿にあるサーバーが外れます。使っていないことを確かめてから変えます。",
        "report-address": "レポートを受け取るメールボックスを先に用意します。",
        "assumes-no-mail": "このドメインでメールを送らない場合だけの案です。",
    },
    traffic_heading="この名前のメールはどこから届いていますか",
    traffic_said=(
        "{begin}から{end}まで（UTC）に受信側から届いたレポートでは、この名前のメールは{messages}通でした。"
        "このうち{passed}通は、SPFかDKIMで差出人のドメインとの一致（アラインメント）が確かめられました。"
    ),
    traffic_note=(
        "数字は受信側の申告で、レポートの送り主はまだ検証していません。一致しない送信元は、設定が済んでいない自院の"
        "サービスのことも、第三者のこともあります。転送されたメールでは本物でも一致しないことがあります。"
    ),
    traffic_omitted="ほかに送信元が{count}件あります。",
    no_traffic="この期間のレポートはまだ届いていません。",
    source="送信元のIPアドレス",
    messages="通数",
    passed="一致した通数",
    reading="読み方",
    readings={"all": "すべて一致", "some": "一部だけ一致", "none": "一致なし（確認が必要）"},
    reporters="レポートの送り主",
    reporter_said="レポート{reports}件、メール{messages}通分",
    findings_heading="見つかったことと、直し方",
    no_findings="直すところは見つかりませんでした。",
    severities={
        "critical": "重大（すぐに対応）",
        "high": "高い（早めに対応）",
        "medium": "中くらい",
        "low": "低い",
        "info": "お知らせ",
    },
    waived="対応を見送り中",
    fix_heading="公開するレコード",
    readiness={"paste-as-is": "このまま登録できます", "needs-your-decision": "院内での判断が必要です"},
    at_name="名前と種類:",
    before="今の値",
    after="新しい値",
    limits_heading="この結果で分からないこと",
    unanswered="次の質問には答えが得られませんでした。答えがないことは「ない」という意味ではありません。",
    limits=(
        "差出人の表示名だけをまねたメールや、よく似た別のドメインからのメールは、DMARCでは止められません。",
        "受信側がDMARCの宣言に従うかどうかは、受信側が決めます。",
        "DKIMの鍵は、名前（セレクター）が分からないと外からは確認できません。",
    ),
    languages={"ja": "日本語", "en": "英語"},
    steps={
        "dns": "架空の病院のDNSサーバーを動かしました（{host}:{port}）。外部には何も送りません。",
        "audit": "{domain}: 第三者がこの名前でメールを{verdict}。指摘{findings}件",
        "listener": "レポート受信口を動かしました（{host}:{port}）。",
        "mails": "DMARCレポートのメール{mails}通を受け取り、{rows}通分の記録を保存しました。",
        "files": "できたファイル:",
        "guide": "  {path}  {domain}の手引き（{language}、ブラウザーで開けます）",
        "audits": "  {path}  すべての確認結果（JSON）",
        "database": "  {path}  受け取ったレポート（SQLite）",
        "again": "レポートから分かったDKIMのセレクター（{selectors}）を使って、{domain} をもう一度確認しました。",
        "next": "ご自分のドメインを確認するには: {command} audit あなたのドメイン",
    },
)

EN: Final = Words(
    title="Protection against spoofed mail: what we found",
    demonstration="This is a demonstration with fictional hospitals. Names, mails and figures are invented.",
    questions_asked="{count} DNS questions",
    answer_heading="Can a stranger send mail in this name?",
    posing_as="Posing as",
    verdict="Possible?",
    because="Why",
    answer_note="At receivers that honour DMARC.",
    scopes={
        "domain": "anyone@{domain}",
        "subdomain": "an existing subdomain",
        "nonexistent_subdomain": "an invented subdomain",
    },
    verdicts={"yes": "yes", "no": "no", "partly": "partly", "unknown": "not known"},
    reasons={
        "reject": "the policy is reject, and SPF lets no stranger pass",
        "quarantine": "the policy is quarantine: such mail goes to the junk folder",
        "policy-none": "the policy is none: receivers watch, and stop nothing",
        "no-policy": "no DMARC policy has been published yet",
        "spf-passes-everyone": "SPF, the list of sending servers, lets everybody pass",
        "key-open-to-all": "everybody can use a DKIM key, the electronic signature, of this domain",
        "spf-unknown": "whether SPF lets strangers pass could not be seen",
        "unanswered": "a deciding DNS question was not answered",
        "tightens-policy": "Mail that passes no check will be treated more strictly; put every sender in order first.",
        "loosens-policy": "Mail that passes no check will be treated more mildly; make sure you want this.",
        "tightens-spf": "Mail from servers that are not on the list will fail the check.",
        "loosens-spf": "A stricter ending was published for servers that are not on the list.",
        "record-of-others": "The record stands at a domain above this one; ask those who manage it.",
        "stops-authorizing": "A server that is on the list now will no longer be; make sure that it is not used.",
        "report-address": "The mailbox for the reports must exist first.",
        "assumes-no-mail": "Right only if this domain sends no mail.",
    },
    traffic_heading="Where does mail in this name come from?",
    traffic_said=(
        "Reports that receivers sent about {begin} to {end} (UTC) count {messages} mails in this name. For {passed} of "
        "them SPF or DKIM was seen to agree with the sender's domain (alignment)."
    ),
    traffic_note=(
        "The figures are what receivers report; who sent the reports has not been verified yet. A source that does not "
        "agree may be a service of your own that is not set up yet, or a stranger. Forwarded mail can fail although it "
        "is genuine."
    ),
    traffic_omitted="There are {count} more sources.",
    no_traffic="No reports about this time have arrived yet.",
    source="Source address",
    messages="Mails",
    passed="Agreeing",
    reading="Reading",
    readings={"all": "all agree", "some": "some agree", "none": "none agree (to be looked at)"},
    reporters="Who sent reports",
    reporter_said="{reports} reports about {messages} mails",
    findings_heading="What was found, and how to put it right",
    no_findings="Nothing to correct was found.",
    severities={
        "critical": "critical: act now",
        "high": "high: act soon",
        "medium": "medium",
        "low": "low",
        "info": "note",
    },
    waived="put off for now",
    fix_heading="The record to publish",
    readiness={"paste-as-is": "paste as is", "needs-your-decision": "needs your decision"},
    at_name="Name and type:",
    before="Present value",
    after="New value",
    limits_heading="What this does not tell",
    unanswered="These questions were not answered. No answer does not mean that there is nothing.",
    limits=(
        "Mail that only imitates the display name, or comes from a look-alike domain, is not stopped by DMARC.",
        "Whether a receiver follows the DMARC policy is the receiver's decision.",
        "A DKIM key cannot be seen from outside unless its name (selector) is known.",
    ),
    languages={"ja": "Japanese", "en": "English"},
    steps={
        "dns": "A DNS server with fictional hospitals is running ({host}:{port}). Nothing leaves this machine.",
        "audit": "{domain}: spoofable by strangers: {verdict}; findings: {findings}",
        "listener": "A listener for reports is running ({host}:{port}).",
        "mails": "Received {mails} mails with DMARC reports; they tell about {rows} mails.",
        "files": "Files:",
        "guide": "  {path}  guide for {domain} ({language}; open it in a browser)",
        "audits": "  {path}  all audits (JSON)",
        "database": "  {path}  the reports received (SQLite)",
        "again": "Audited {domain} once more with the DKIM selectors that the reports told of ({selectors}).",
        "next": "To audit a domain of your own: {command} audit YOUR-DOMAIN",
    },
)

WORDS: Final[Mapping[str, Words]] = {"ja": JA, "en": EN}


def format_day(moment: datetime, language: str) -> str:
    """A day for the head of a page: Japanese time with the era in Japanese, UTC in English."""
    if language != "ja":
        return f"{moment.astimezone(UTC):%Y-%m-%d}"
    day = moment.astimezone(_JAPAN).date()
    era = f"（令和{day.year - 2018 if day.year > 2019 else '元'}年）" if day >= _REIWA_FROM else ""
    return f"{day.year}年{era}{day.month}月{day.day}日"
