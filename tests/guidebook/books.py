"""Books to render: one of each kind of block, in a place where guides have it."""

from __future__ import annotations

from datetime import UTC, datetime

from mailguard.errors import OperationError
from mailguard.guidebook.blocks import (
    Blank,
    Block,
    Book,
    Bullets,
    Callout,
    Card,
    Chart,
    Form,
    Heading,
    Imprint,
    Kind,
    Labelled,
    PageBreak,
    Paragraph,
    Part,
    Record,
    Rich,
    Series,
    Signal,
    Signals,
    Span,
    Table,
    Tone,
    Verbatim,
    code,
    fact,
)
from mailguard.render.book.fonts import families

MADE_AT = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
AS_OF = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)


def can_draw() -> bool:
    """Whether PDF can be made here: the engine's library is there, and a font that can show Japanese."""
    try:
        import weasyprint  # type: ignore[import-untyped]  # noqa: F401

        return bool(families())
    except (OSError, OperationError):
        return False


def text(words: str) -> Rich:
    return (Span(words),)


def book(*parts: Part, language: str = "ja", domain: str = "midori.example.jp", **more: object) -> Book:
    """A book of these parts."""
    title = text("なりすましメール対策の手引き" if language == "ja" else "Guide against mail in our name")
    return Book(
        language=language,
        title=title,
        domain=domain,
        made_at=MADE_AT,
        as_of=AS_OF,
        parts=parts,
        number="MG-20261122-0AB1C2",
        **more,  # type: ignore[arg-type]
    )


def part(*blocks: Block, id: str = "findings", title: str = "見つかったこと", one_page: bool = False) -> Part:
    """A part of these blocks."""
    return Part(id, text(title), blocks, one_page=one_page)


def page_one() -> Part:
    """In the manner of the director's page."""
    return part(
        Paragraph(text("いま、だれでも貴院の名前でメールを送れます。患者さんには見分けがつきません。"), lead=True),
        Signals(
            (
                Signal(
                    Tone.ACT,
                    text("止められません"),
                    text("病院の名前を名乗るメール"),
                    text("受け取る側は、本物かどうかを確かめられません。"),
                ),
                Signal(
                    Tone.CARE,
                    text("一部だけ"),
                    text("知らない名前（サブドメイン）"),
                    text("方針がまだ決まっていません。"),
                ),
                Signal(
                    Tone.GOOD,
                    text("届いています"),
                    text("貴院から送るメール"),
                    text("主な受信側の条件を満たしています。"),
                ),
            )
        ),
        Heading(text("お願いしたい決定")),
        Paragraph(
            (
                Span("DMARC の記録を"),
                Span("1件", Kind.STRONG),
                Span("加えることを、ドメイン（DNS）管理会社に頼んでください。"),
            )
        ),
        Callout(
            text("DMARC で止まらないもの"),
            (
                Bullets(
                    (
                        (Paragraph(text("表示名だけを病院の名前にしたメール")),),
                        (Paragraph(text("よく似た別のドメインからのメール")),),
                    )
                ),
            ),
            Tone.CARE,
        ),
        Paragraph(
            (
                Span("くわしくは"),
                Span("次の部", Kind.LINK, "#findings"),
                Span("と"),
                Span("公的な資料", Kind.LINK, "https://www.example.jp/guide"),
                Span("をご覧ください。"),
            )
        ),
        id="director",
        title="院長先生へ",
        one_page=True,
    )


def finding() -> Card:
    """In the manner of a finding's page."""
    return Card(
        text("DMARC の方針がまだ設定されていません"),
        (
            Paragraph((fact("midori.example.jp"), Span(" には DMARC がありません。")), Tone.ACT),
            Heading(text("なぜ大切か")),
            Paragraph(text("受け取る側は、なりすましを見つけても、どう扱えばよいかわかりません。")),
            Heading(text("だれが何をするか")),
            Bullets(
                (
                    (Paragraph(text("院内の担当者が、この頁を管理会社に送ります。")),),
                    (
                        Paragraph((Span("管理会社が、"), code("_dmarc"), Span(" に記録を加えます。"))),
                        Verbatim("dig TXT _dmarc.midori.example.jp"),
                    ),
                ),
                ordered=True,
            ),
            Record(
                name="_dmarc.midori.example.jp",
                rrtype="TXT",
                place=text("名前と種類："),
                before=Labelled(text("いまの記録"), ("v=DMARC1; p=none",)),
                after=Labelled(
                    text("新しい記録"),
                    ("v=DMARC1; p=quarantine; rua=mailto:dmarc-reports@midori.example.jp; adkim=r; aspf=r",),
                ),
                split=Labelled(
                    text("255文字ごとに分けた形"),
                    ('"v=DMARC1; p=quarantine; " "rua=mailto:dmarc-reports@midori.example.jp"',),
                ),
                qr="v=DMARC1; p=quarantine; rua=mailto:dmarc-reports@midori.example.jp",
                qr_label=text("スマートフォンで読み取ると、新しい記録を写せます。"),
            ),
        ),
        Tone.ACT,
        anchor="DMARC001",
        page=True,
    )


def chart(horizontal: bool = False) -> Chart:
    weeks = tuple(f"10/{day}" for day in range(1, 29, 3))
    rows = (
        Series(text("認証された自院のメール"), (120, 132, 101, 134, 90, 230, 210, 190, 160, 170), 0),
        Series(text("認証されない自院のメール"), (20, 18, 19, 24, 29, 33, 31, 20, 10, 4), 1),
        Series(text("知らない送信元"), (3, 8, 2, 40, 12, 3, 1, 0, 6, 2), 2),
    )
    numbers = Table(
        (text("週"), *(row.label for row in rows)),
        tuple((text(week), *((fact(row.values[at]),) for row in rows)) for at, week in enumerate(weeks)),
        caption=text("図の数"),
        numeric=frozenset({1, 2, 3}),
    )
    return Chart(
        text("送信元ごとの通数"),
        text("認証されたメールが増え、知らない送信元は減っています。"),
        weeks,
        rows,
        numbers,
        horizontal,
    )


def every_block(language: str = "ja", **more: object) -> Book:
    """A book in which each kind of block stands at least once."""
    tables = part(
        Heading(text("用語"), anchor="words"),
        Paragraph(
            (
                Span("送信", Kind.RUBY, "そうしん"),
                Span("するメールの"),
                Span("署名", Kind.RUBY, "しょめい"),
                Span("です。"),
            )
        ),
        Table(
            (text("用語"), text("意味")),
            (
                (text("SPF"), text("送ってよいサーバーの一覧です。")),
                (text("DKIM"), text("メールに付ける電子署名です。")),
            ),
            widths=(25, 75),
        ),
        Heading(text("確認表"), level=3),
        Table(
            (text("項目"), text("はい・いいえ"), text("確認日"), text("目標日"), text("担当者")),
            ((text("SPF が設定されている"), (), (), (), ()), (text("DMARC が設定されている"), (), (), (), ())),
            form=True,
        ),
        Form((Blank(text("施設名"), text("みどり病院")), Blank(text("連絡先"), hint=text("電話と内線"), lines=2))),
        PageBreak(),
        Paragraph(text("答えが得られなかったものがあります。"), Tone.UNKNOWN),
        Paragraph(text("これは助言であり、法律の判断ではありません。"), Tone.QUIET),
        id="glossary",
        title="用語と様式",
    )
    monitoring = part(chart(), chart(horizontal=True), id="monitoring", title="見守り")
    return book(page_one(), part(finding(), finding_two()), monitoring, tables, language=language, **more)


def finding_two() -> Card:
    return Card(
        text("DKIM の鍵が短いままです"),
        (Paragraph(text("鍵を 2048 ビットにします。")),),
        Tone.CARE,
        anchor="DKIM004",
        page=True,
    )


IMPRINT = Imprint(
    "例示ITサポート株式会社",
    ("東京都千代田区例町1-2-3", "電話 03-0000-0000"),
    ("ご不明な点は、いつでもお問い合わせください。",),
)
