"""What people type or paste is understood, with a word, and one bad line never loses the others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.world import BARE, GOOD, Dns, mailguard, served

JAPANESE = 'xn--0rys90e.example.jp  TXT "v=spf1 -all"\n'  # 病院.example.jp


@pytest.fixture(scope="module")
def dns() -> Iterator[Dns]:
    with served(GOOD + BARE + JAPANESE) as server:
        yield server


def audited(stdout: str) -> list[str]:
    return [json.loads(line)["domain"] for line in stdout.splitlines()]


@pytest.mark.parametrize(
    ("typed", "domain", "word"),
    [
        ("https://www.bare.example.jp/access.html", "bare.example.jp", "web page"),
        ("bare.example.jp:443", "bare.example.jp", "port"),
        ("reception@bare.example.jp", "bare.example.jp", "after the @"),
        ("mailto:reception@bare.example.jp?subject=x", "bare.example.jp", "after the @"),
        ("Ｂａｒｅ．ｅｘａｍｐｌｅ．ｊｐ", "bare.example.jp", "full-width"),
        ("受付＠ｂａｒｅ．ｅｘａｍｐｌｅ．ｊｐ", "bare.example.jp", "full-width"),
        ("病院.example.jp", "xn--0rys90e.example.jp", "Japanese"),
        ("_dmarc.bare.example.jp", "bare.example.jp", "name of a record"),
        ("bare.example.jp.", "bare.example.jp", ""),
        ("BARE.example.JP", "bare.example.jp", ""),
    ],
)
def test_a_domain_is_understood_with_a_word(dns: Dns, typed: str, domain: str, word: str) -> None:
    result = mailguard("audit", typed, "--format", "ndjson", *dns.options)
    assert audited(result.stdout) == [domain]
    assert word in result.stderr
    assert bool(result.stderr) == bool(word)


def test_the_word_is_spoken_in_the_language_asked_for(dns: Dns) -> None:
    result = mailguard("audit", "reception@bare.example.jp", "--lang", "ja", *dns.options)
    assert "メールアドレス" in result.stderr


def test_a_domain_named_twice_is_audited_once(dns: Dns) -> None:
    result = mailguard("audit", "bare.example.jp", "a@bare.example.jp", "--format", "ndjson", *dns.options)
    assert audited(result.stdout) == ["bare.example.jp"]


LIST = "ドメイン,病院\n# コメント\nbare.example.jp,裸病院\n\nhttps://clinic.example.jp/ ; 診療所\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "utf-16"])
@pytest.mark.parametrize("place", ["file", "standard input"])
def test_a_list_in_any_usual_encoding(dns: Dns, tmp_path: Path, encoding: str, place: str) -> None:
    data = LIST.replace("\n", "\r\n").encode(encoding)
    (tmp_path / "list.csv").write_bytes(data)
    where = str(tmp_path / "list.csv") if place == "file" else "-"
    result = mailguard("audit", "-f", where, "--format", "ndjson", *dns.options, stdin=data)
    assert sorted(audited(result.stdout)) == ["bare.example.jp", "clinic.example.jp"]


def test_one_bad_line_is_told_with_its_number_and_loses_no_other(dns: Dns, tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("bare.example.jp\nthis is no domain\nclinic.example.jp\n", "utf-8")
    result = mailguard("audit", "-f", path, "--format", "ndjson", *dns.options)
    assert sorted(audited(result.stdout)) == ["bare.example.jp", "clinic.example.jp"]
    assert f"{path}:2: 'this is no domain' has spaces in it" in result.stderr
    assert result.returncode == 2


def test_arguments_and_several_lists_add_up(dns: Dns, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("clinic.example.jp\n", "utf-8")
    (tmp_path / "b").write_text("病院.example.jp\n", "utf-8")
    arguments = ("bare.example.jp", "-f", tmp_path / "a", "-f", tmp_path / "b")
    result = mailguard("audit", *arguments, "--format", "ndjson", *dns.options)
    assert len(audited(result.stdout)) == 3


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"# only a comment\n\n", b"domain\n"])
def test_a_list_without_a_domain_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "empty").write_bytes(content)
    result = mailguard("audit", "-f", tmp_path / "empty")
    assert "names no domain" in result.stderr
    assert result.returncode == 2


def test_what_stands_in_a_list_cannot_steer_the_terminal(dns: Dns, tmp_path: Path) -> None:
    (tmp_path / "list").write_bytes("\x1b]0;pwned\x07@bare.example.jp\n\x1b[2Jno-domain\n\u202eevil\n".encode())
    result = mailguard("audit", "-f", tmp_path / "list", *dns.options)
    assert "\x1b" not in result.stderr
    assert "\u202e" not in result.stderr


@pytest.mark.parametrize("encoding", ["cp932", "ascii", "euc_jp", "utf-8"])
@pytest.mark.parametrize("form", ["terminal", "markdown", "json", "ndjson", "csv", "sarif"])
def test_output_never_breaks_on_a_console_that_cannot_show_a_character(dns: Dns, encoding: str, form: str) -> None:
    env = {"PYTHONIOENCODING": encoding, "MAILGUARD_LANG": "ja"}
    result = mailguard("audit", "病院.example.jp", "bare.example.jp", "--format", form, *dns.options, env=env)
    assert result.returncode == 1
    assert result.stdout
