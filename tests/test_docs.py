"""The documents say what is so: links lead somewhere, and what the code offers is described."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from mailguard.cli import main
from mailguard.cli.default_group import DefaultGroup
from mailguard.policy.files import find_problems
from mailguard.policy.shelf import load_policy
from mailguard.rules.catalogue import RULES
from tools.make_docs import ROOT, stale_pages

PAGES = sorted(
    path for folder in (ROOT, ROOT / "docs", ROOT / "tests" / "specs") for path in folder.glob("*.md") if path.is_file()
)
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)


def page_id(path: Path) -> str:
    return str(path.relative_to(ROOT))


def links(path: Path) -> Iterator[str]:
    text = _FENCE.sub("", path.read_text("utf-8"))
    yield from (target for target in _LINK.findall(text) if not re.match(r"[a-z]+:", target))


def anchors(path: Path) -> set[str]:
    """The names under which headings can be linked to, as GitHub makes them."""
    headings = _HEADING.findall(_FENCE.sub("", path.read_text("utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_links_lead_somewhere(page: Path) -> None:
    lost = []
    for target in links(page):
        name, _, anchor = target.partition("#")
        there = (page.parent / name).resolve() if name else page
        if not there.exists() or (anchor and anchor not in anchors(there)):
            lost.append(target)
    assert lost == []


def test_every_document_is_listed() -> None:
    listed = set(links(ROOT / "docs" / "README.md"))
    assert {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"} == listed


def test_generated_pages_are_up_to_date() -> None:
    assert [page_id(path) for path in stale_pages()] == [], "run: make docs"


def test_the_architecture_names_every_part_of_the_house() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    parts = [path for path in (ROOT / "mailguard").iterdir() if not path.name.startswith("__")]
    names = {f"{path.name}/" if path.is_dir() else path.name for path in parts if path.name != "py.typed"}
    assert {name for name in names if not re.search(rf"(\+-- |, ){re.escape(name)}", text)} == set()


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command that does something, with the words that call it."""
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        below = command.get_command(context, name)
        assert below is not None
        yield from commands(below, (*path, name))


COMMANDS = dict(commands(main))


def section_of(words: tuple[str, ...]) -> str:
    """The part of a page that describes a command: from its heading to the next of the same level."""
    heading = rf"^## `mailguard {re.escape(' '.join(words))}`.*?(?=^## |\Z)"
    pages = (page.read_text("utf-8") for page in sorted((ROOT / "docs").glob("*.md")))
    sections = (found[0] for text in pages if (found := re.search(heading, text, re.MULTILINE | re.DOTALL)))
    section = next(sections, "")
    assert section, f"no page in docs has a section '## `mailguard {' '.join(words)}`'"
    return section


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_option_is_described(words: tuple[str, ...]) -> None:
    section = section_of(words)
    options = [option for option in COMMANDS[words].params if isinstance(option, click.Option) and not option.hidden]
    spellings = {spelling for option in options for spelling in (*option.opts, *option.secondary_opts)}
    assert {spelling for spelling in spellings if not re.search(rf"`{re.escape(spelling)}[` ]", section)} == set()


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_choice_is_described(words: tuple[str, ...]) -> None:
    section = section_of(words)
    choices = {str(choice) for option in COMMANDS[words].params for choice in getattr(option.type, "choices", ())}
    assert {choice for choice in choices if f"`{choice}`" not in section} == set()


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_no_option_is_described_that_does_not_exist(words: tuple[str, ...]) -> None:
    first_cells = re.findall(r"^\| (`-.*?) \|", section_of(words), re.MULTILINE)
    described = {spelling for cell in first_cells for spelling in re.findall(r"`(--?[a-z-]+)", cell)}
    known = {spelling for option in COMMANDS[words].params for spelling in (*option.opts, *option.secondary_opts)}
    assert described <= known


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_has_help(words: tuple[str, ...]) -> None:
    command = COMMANDS[words]
    assert command.help
    assert [option.name for option in command.params if isinstance(option, click.Option) and not option.help] == []


def shell_blocks(page: Path) -> str:
    return "\n".join(re.findall(r"^```sh\n(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL))


def examples(page: Path) -> list[str]:
    """What follows ``mailguard`` in the shell blocks of a page."""
    return re.findall(r"^(?:.*/bin/|.*--read-only.* |)mailguard +(.*)$", shell_blocks(page), re.MULTILINE)


def spelt_out(words: list[str]) -> list[str]:
    """The words with the command that is meant where a group is called without one."""
    group = main.get_command(click.Context(main), words[0])
    if isinstance(group, DefaultGroup) and words[1] not in group.list_commands(click.Context(group)):
        return [words[0], group.default, *words[1:]]
    return words


EXAMPLES = {page_id(page): lines for page in PAGES if (lines := examples(page))}


def test_there_are_examples() -> None:
    assert {"README.md", "README.en.md", "docs/audit.md", "docs/reports.md", "docs/serve.md"} <= EXAMPLES.keys()


@pytest.mark.parametrize("page", EXAMPLES)
def test_commands_in_examples_exist(page: str) -> None:
    """Every ``mailguard`` line in a shell block names a command, and only options that it has."""
    for line in EXAMPLES[page]:
        words = spelt_out(line.partition(" #")[0].split())
        if words[0].startswith("-"):
            continue
        known = [path for path in COMMANDS if list(path) == words[: len(path)]]
        assert known, f"no such command: mailguard {line}"
        options = {word.partition("=")[0] for word in words if word.startswith("-") and word != "-"}
        allowed = {spelling for option in COMMANDS[known[0]].params for spelling in option.opts} | {"--help"}
        assert options <= allowed, f"no such option: mailguard {line}"


@pytest.mark.parametrize("rule_id", sorted(RULES))
def test_every_rule_is_listed(rule_id: str) -> None:
    assert f"[{rule_id}](" in (ROOT / "docs" / "rules.md").read_text("utf-8")


def keys(table: dict[str, Any]) -> set[str]:
    """Every key of a policy file, however deep, but for names that its author chose."""
    found = set(table)
    for key, value in table.items():
        named = key in ("sources", "severity") and isinstance(value, dict)
        inner = list(value.values()) if named else value
        for part in inner if isinstance(inner, list) else [inner]:
            if isinstance(part, dict):
                found |= keys(part)
    return found


POLICIES = sorted((ROOT / "policies").glob("*.toml"))


def test_there_are_policies() -> None:
    assert POLICIES


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_every_policy_and_its_keys_are_described(path: Path) -> None:
    text = (ROOT / "docs" / "policies.md").read_text("utf-8")
    assert f"`{path.stem}`" in text
    used = keys(tomllib.loads(path.read_text("utf-8")))
    assert {key for key in used if f"`{key}`" not in text} == set()


def test_the_sample_policy_is_in_order() -> None:
    (sample,) = re.findall(r"^```toml\n(.*?)^```$", (ROOT / "docs" / "policies.md").read_text("utf-8"), re.M | re.S)
    assert find_problems(sample, "sample", "sample", load_policy, RULES) == ()


@pytest.mark.parametrize("page", ["README.md", "README.en.md"])
def test_readme_names_the_two_commands_and_the_first_audit(page: str) -> None:
    first_screen = (ROOT / page).read_text("utf-8")[:1500]
    assert "make demo" in first_screen
    assert "mailguard audit" in first_screen
    assert "make test" in (ROOT / page).read_text("utf-8")


def test_both_readmes_have_the_same_shape() -> None:
    ja, en = ((ROOT / page).read_text("utf-8") for page in ("README.md", "README.en.md"))
    assert len(_HEADING.findall(ja)) == len(_HEADING.findall(en))
    documents = [
        sorted(set(links(ROOT / page)) - {"README.md", "README.en.md"}) for page in ("README.md", "README.en.md")
    ]
    assert documents[0] == documents[1]


def test_exit_codes_in_the_readmes_are_those_of_the_code() -> None:
    from mailguard.cli import exits

    codes = {str(value) for name, value in vars(exits).items() if name.isupper() and type(value) is int}
    for page in ("README.md", "README.en.md", "docs/audit.md"):
        listed = re.findall(r"^\| (\d+) \|", (ROOT / page).read_text("utf-8"), re.MULTILINE)
        assert set(listed) == codes, page
