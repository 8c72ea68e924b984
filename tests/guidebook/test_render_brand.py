"""A consultant's folder: their imprint, colour, logo, and single templates in place of ours."""

from __future__ import annotations

import resource
from base64 import b64decode
from functools import partial
from pathlib import Path

import pytest

from mailguard.errors import UsageError
from mailguard.guidebook.brand import MAX_LOGO_BYTES, PLAIN, Brand, contrast, load_brand
from mailguard.render.book import templates
from mailguard.render.book.html import render_html
from mailguard.render.book.memory import bounded_memory
from mailguard.render.book.templates import MAX_CHARACTERS
from mailguard.words import translator
from tests.guidebook.books import book, every_block, part, text

TOML = """
name = "例示ITサポート"
logo = "logo.svg"

[colours]
accent = "#5b3a8c"

[ja]
lines = ["東京都千代田区例町1-2-3", "電話 03-0000-0000"]
closing = ["いつでもお問い合わせください。"]

[en]
name = "Example IT Support"
lines = ["1-2-3 Rei-cho, Tokyo"]
closing = "Please call us at any time."
"""
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0h9v9z"/></svg>'


def folder(path: Path, toml: str = TOML, logo: str = SVG, **files: str) -> Path:
    """A brand folder; ``blocks__table`` is the template blocks/table.html.j2."""
    (path / "brand.toml").write_text(toml, "utf-8")
    (path / "logo.svg").write_text(logo, "utf-8")
    for name, content in files.items():
        file = path / "templates" / f"{name.replace('__', '/')}.html.j2"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, "utf-8")
    return path


def shown(brand: Brand) -> str:
    return render_html(every_block(imprint=brand.imprint("ja")), brand)


def test_imprint_and_closing_words_are_those_of_the_language(tmp_path: Path) -> None:
    brand = load_brand(folder(tmp_path))
    assert brand.imprint("ja").name == "例示ITサポート"
    assert brand.imprint("ja").lines == ("東京都千代田区例町1-2-3", "電話 03-0000-0000")
    assert brand.imprint("en").name == "Example IT Support"
    assert brand.imprint("en").closing == ("Please call us at any time.",)
    assert "電話 03-0000-0000" in shown(brand)


def test_colour_and_logo_are_in_the_file(tmp_path: Path) -> None:
    brand = load_brand(folder(tmp_path))
    html = shown(brand)
    assert "--accent: #5b3a8c" in html
    assert f'<img src="{brand.logo}" alt="例示ITサポート">' in html
    assert b64decode(brand.logo.partition(",")[2]).decode() == SVG


def test_a_folder_may_say_next_to_nothing(tmp_path: Path) -> None:
    (tmp_path / "brand.toml").write_text("", "utf-8")
    assert load_brand(tmp_path) == Brand(imprints=(("ja", PLAIN.imprint("ja")), ("en", PLAIN.imprint("en"))))


def test_one_block_of_the_page_is_replaced(tmp_path: Path) -> None:
    footer = "{% block footer %}<footer>{{ brand.name }} 別の結び</footer>{% endblock %}"
    ours = '{% extends "mailguard/base.html.j2" %}' + footer
    html = shown(load_brand(folder(tmp_path, base=ours)))
    assert "<footer>例示ITサポート 別の結び</footer>" in html
    assert "院長先生へ" in html


def test_one_partial_is_replaced_and_may_use_ours(tmp_path: Path) -> None:
    ours = '<div class="framed">{% include "mailguard/blocks/table.html.j2" %}</div>'
    assert '<div class="framed"><table' in shown(load_brand(folder(tmp_path, blocks__table=ours)))


def test_one_part_gets_a_template(tmp_path: Path) -> None:
    ours = '{% extends "mailguard/part.html.j2" %}{% block blocks %}<hr>{{ super() }}{% endblock %}'
    assert shown(load_brand(folder(tmp_path, parts__director=ours))).count("<hr>") == 1


def test_what_strangers_wrote_is_escaped_in_templates_of_others_too(tmp_path: Path) -> None:
    ours = '{% extends "mailguard/base.html.j2" %}{% block title %}{{ book.domain }}{% endblock %}'
    brand = load_brand(folder(tmp_path, base=ours))
    assert "<title>&lt;/title&gt;" in render_html(book(part(), domain="</title>"), brand)


def problem(path: Path, language: str = "en") -> str:
    with pytest.raises(UsageError) as told:
        shown(load_brand(path))
    words = told.value.told(translator(language))
    assert "\n" not in words
    return words


def test_an_unknown_key_is_named(tmp_path: Path) -> None:
    assert "colors is no known key" in problem(folder(tmp_path, 'name = "a"\n[colors]\naccent = "#000000"\n'))


def test_an_unknown_colour_is_named(tmp_path: Path) -> None:
    assert "akzent is no known key" in problem(folder(tmp_path, '[colours]\nakzent = "#000000"\n'))


@pytest.mark.parametrize("colour", ["#ffff00", "#e69f00", "#777777", "#FFFFFF"])
def test_a_colour_that_is_hard_to_read_is_refused(tmp_path: Path, colour: str) -> None:
    assert "is hard to read on white" in problem(folder(tmp_path, f'[colours]\naccent = "{colour}"\n'))


@pytest.mark.parametrize("colour", ["red", "#fff", "#12345g", "url(http://evil.example)", "#123456;}*{"])
def test_only_colours_by_number_are_taken(tmp_path: Path, colour: str) -> None:
    assert "#rrggbb" in problem(folder(tmp_path, f'[colours]\naccent = "{colour}"\n'))


def test_contrast_is_that_of_the_guidelines() -> None:
    assert contrast("#000000") == pytest.approx(21)
    assert contrast("#767676") == pytest.approx(4.54, abs=0.01)
    assert contrast("#d55e00") < 4.5
    assert contrast(PLAIN.accent) > 7


@pytest.mark.parametrize(
    "logo",
    [
        "no svg",
        "<html/>",
        "<svg>",
        '<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><svg xmlns="http://www.w3.org/2000/svg">&b;</svg>',
    ],
)
def test_a_logo_that_is_no_picture_is_refused(tmp_path: Path, logo: str) -> None:
    assert "is no picture that can be used as a logo" in problem(folder(tmp_path, logo=logo))


def test_a_picture_of_another_kind_than_its_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "logo.png").write_bytes(b"GIF89a")
    assert "is no picture" in problem(folder(tmp_path, 'logo = "logo.png"'))


def test_a_large_logo_is_refused(tmp_path: Path) -> None:
    assert "is larger than" in problem(folder(tmp_path, logo=" " * (MAX_LOGO_BYTES + 1)))


def test_a_logo_is_a_picture_so_its_scripts_are_dead(tmp_path: Path) -> None:
    svg = SVG.replace("<path", "<script>window.injected=1</script><path")
    html = shown(load_brand(folder(tmp_path, logo=svg)))
    assert "<script" not in html


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert "brand.toml cannot be read" in problem(tmp_path)


def test_broken_toml_is_told_with_its_line(tmp_path: Path) -> None:
    assert "line 1" in problem(folder(tmp_path, "name = \nlogo = 1\n"))


@pytest.mark.parametrize(
    ("template", "line"),
    [
        ("a\nb\n{% if %}", 3),
        ("a\n{{ nothing.here }}", 2),
        ('{% extends "mailguard/base.html.j2" %}\n{% block footr %}{% endblock %}', 2),
        ('a\n\n{% include "nowhere.html.j2" %}', 3),
        ("{{ ''.__class__.__mro__[1].__subclasses__() }}", 1),
        ("a\n{{ 1 / 0 }}", 2),
        ("a\n{{ book.nowhere.at_all }}", 2),
    ],
)
def test_a_broken_template_is_told_with_file_and_line(tmp_path: Path, template: str, line: int) -> None:
    path = folder(tmp_path, base=template)
    assert f"base.html.j2, line {line}: " in problem(path)
    assert f"base.html.j2 の {line} 行目：" in problem(path, "ja")


HUGE = "{% set ns = namespace(t='x') %}{% for i in range(60) %}{% set ns.t = ns.t ~ ns.t %}{% endfor %}"
CAPTURED = "{% set all %}{% for i in range(99999) %}{{ 'x' * 9999 }}{% endfor %}{% endset %}"


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the system does not tell how large a process is")
@pytest.mark.parametrize(
    "bomb",
    [
        "{{ 'x' * 10**9 }}",
        "{{ 10**9 * ['x'] }}",
        "{{ 10 ** 999999999 }}",
        "{{ range(10**9) | list }}",
        "{% for i in range(10**7) %}x{% endfor %}",
        "{{ 'x' | center(10**10) }}",
        "{{ '%9999999999d' | format(1) }}",
        "{{ '{:>9999999999}'.format(1) }}",
        "{{ ('x' * 9999).ljust(10**10) }}",
        HUGE,
        CAPTURED,
    ],
)
def test_a_template_that_wants_too_much_is_told_with_file_and_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bomb: str
) -> None:
    monkeypatch.setattr(templates, "bounded_memory", partial(bounded_memory, 64 * 2**20))
    before = resource.getrlimit(resource.RLIMIT_AS)
    path = folder(tmp_path, base=f"a\n{bomb}")
    assert "base.html.j2, line 2: " in problem(path)
    assert "base.html.j2 の 2 行目：" in problem(path, "ja")
    assert resource.getrlimit(resource.RLIMIT_AS) == before


def test_a_guide_that_loops_make_too_long_is_told(tmp_path: Path) -> None:
    loops = "{% for a in range(5000) %}{{ 'x' * 9999 }}{% endfor %}"
    for language in ("en", "ja"):
        words = problem(folder(tmp_path, base=loops), language)
        assert f"{MAX_CHARACTERS:,}" in words
        assert str(tmp_path / "templates") in words


def test_ordinary_sums_in_templates_are_no_harm(tmp_path: Path) -> None:
    sums = "{{ 70000 * 70000 }} {{ 1.5 * 20000 }} {{ 2 ** 10 }} {{ '=' * 40 }}"
    assert shown(load_brand(folder(tmp_path, base=sums))) == f"4900000000 30000.0 1024 {'=' * 40}"


def test_a_template_that_takes_no_place_is_named(tmp_path: Path) -> None:
    words = problem(folder(tmp_path, blocks__tabel="x"))
    assert "tabel.html.j2" in words
    assert "own/" in words


def test_partials_of_their_own_are_welcome(tmp_path: Path) -> None:
    ours = '{% extends "mailguard/base.html.j2" %}{% block footer %}{% include "own/seal.html.j2" %}{% endblock %}'
    assert "<p>印</p>" in shown(load_brand(folder(tmp_path, base=ours, own__seal="<p>印</p>")))


def test_templates_reach_no_files(tmp_path: Path) -> None:
    words = problem(folder(tmp_path, base="{{ brand.templates.unlink() }}"))
    assert "line 1" in words
    assert "base.html.j2" in words


def test_what_is_wrong_with_our_own_templates_is_not_blamed_on_the_brand(tmp_path: Path) -> None:
    brand = load_brand(folder(tmp_path, own__seal="<p>印</p>"))
    with pytest.raises(KeyError):
        render_html(book(part(text("no block")), domain="a.example.jp"), brand)  # type: ignore[arg-type]


@pytest.mark.parametrize("place", ["footer.html.j2", "own/words.txt"])
def test_a_template_that_leads_out_of_the_folder_is_refused(tmp_path: Path, place: str) -> None:
    """It would put a file of this machine into guides that are sent to others."""
    (tmp_path / "brand").mkdir()
    brand = folder(tmp_path / "brand", footer="")
    (tmp_path / "secret").write_text("secret", "utf-8")
    link = brand / "templates" / place
    link.unlink(missing_ok=True)
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(tmp_path / "secret")
    assert "leads out of its folder" in problem(brand)
