"""On a terminal and off it: colour, progress, help in both languages, completion, and a reader who leaves early."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from mailguard.cli import main
from tests.cli.world import BARE, GOOD, Dns, environment, mailguard, served
from tools.catalogue import collect as collect_texts
from tools.catalogue import faults, load

NAMES = [f"c{number}.example.jp" for number in range(6)]
MANY = "".join(f'{name} TXT "v=spf1 ?all"\n' for name in NAMES)


@pytest.fixture(scope="module")
def dns() -> Iterator[Dns]:
    with served(GOOD + BARE + MANY) as server:
        yield server


def on_a_terminal(*arguments: str, **env: str) -> str:
    """What a terminal of 100 columns gets from standard output and standard error together."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "mailguard", *arguments]
    process = subprocess.Popen(
        command, stdout=theirs, stderr=theirs, stdin=theirs, env=environment(TERM="xterm", COLUMNS="100", **env)
    )
    os.close(theirs)
    pieces = []
    while True:
        try:
            piece = os.read(ours, 65_536)
        except OSError:  # EIO: the other side is closed
            break
        if not piece:
            break
        pieces.append(piece)
    os.close(ours)
    process.wait(60)
    return b"".join(pieces).decode("utf-8")


class TestTerminal:
    def test_colour_is_for_terminals(self, dns: Dns) -> None:
        assert "\x1b[31" in on_a_terminal("audit", "bare.example.jp", *dns.options)
        assert "\x1b" not in mailguard("audit", "bare.example.jp", *dns.options).stdout

    def test_no_color_is_obeyed(self, dns: Dns) -> None:
        assert "\x1b" not in on_a_terminal("audit", "bare.example.jp", *dns.options, NO_COLOR="1")
        many = on_a_terminal("audit", *NAMES, *dns.options, NO_COLOR="1")
        assert not re.search(r"\x1b\[[0-9;]*3[0-9][0-9;]*m", many), "the progress bar has no colour either"

    def test_a_long_run_has_a_progress_bar(self, dns: Dns) -> None:
        shown = on_a_terminal("audit", *NAMES, *dns.options)
        assert "Auditing" in shown
        assert "/6" in shown
        assert shown.count("Can a stranger") == 6
        assert "診断中" in on_a_terminal("audit", *NAMES, *dns.options, MAILGUARD_LANG="ja")

    def test_a_short_run_has_none(self, dns: Dns) -> None:
        assert "Auditing" not in on_a_terminal("audit", "bare.example.jp", *dns.options)

    def test_off_a_terminal_standard_error_stays_empty(self, dns: Dns) -> None:
        assert mailguard("audit", *NAMES, *dns.options).stderr == ""


@pytest.mark.parametrize("arguments", [("audit", *NAMES), ("rules", "list"), ("--help",), ("policy", "show", "gmail")])
def test_a_reader_who_leaves_early_is_no_failure_to_tell_of(dns: Dns, arguments: tuple[str, ...]) -> None:
    options = dns.options if arguments[0] == "audit" else ()
    command = [sys.executable, "-m", "mailguard", *arguments, *options]
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, env=environment(), timeout=60, check=False)
    os.close(writer)
    assert done.stderr == b""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_name_the_command(shell: str) -> None:
    result = mailguard("completion", shell)
    assert result.returncode == 0
    assert "_MAILGUARD_COMPLETE" in result.stdout


def test_completion_completes() -> None:
    env = {"_MAILGUARD_COMPLETE": "bash_complete", "COMP_WORDS": "mailguard audit --form", "COMP_CWORD": "2"}
    assert "plain,--format" in mailguard(env=env).stdout


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            yield from commands(child, (*path, name))


COMMANDS = dict(commands(main))


def english_texts(command: click.Command) -> list[str]:
    """Everything that its help says, without the blanks between words, as lines may break anywhere."""
    helps = [*(command.help or "").split("\n\n")]
    helps += [option.help or "" for option in command.params if isinstance(option, click.Option)]
    return [re.sub(r"\s+", "", text) for text in helps if text.strip()]


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_has_help_in_both_languages(path: tuple[str, ...]) -> None:
    said = english_texts(COMMANDS[path])
    assert said
    english, japanese = (mailguard(*path, "--help", env={"MAILGUARD_LANG": language}) for language in ("en", "ja"))
    assert (english.returncode, japanese.returncode) == (0, 0)
    bare = re.sub(r"\s+", "", english.stdout)
    assert [text for text in said if text not in bare] == []
    bare = re.sub(r"\s+", "", japanese.stdout)
    assert [text for text in said if text in bare] == []
    # Headings, defaults and the help option are click's own words.
    assert not re.search(r"Usage:|Options:|Commands:|default:|Show this|Show the", japanese.stdout)


@pytest.mark.parametrize("encoding", ["ascii", "cp932"])
@pytest.mark.parametrize(
    "arguments",
    [("--help",), ("rules", "list"), ("rules", "show", "SPF001"), ("policy", "list"), ("policy", "show", "kddi")],
)
def test_no_command_breaks_on_a_poor_console(encoding: str, arguments: tuple[str, ...]) -> None:
    result = mailguard(*arguments, env={"PYTHONIOENCODING": encoding, "MAILGUARD_LANG": "ja"})
    assert (result.returncode, result.stderr) == (0, "")


def test_every_interface_text_is_translated() -> None:
    assert faults(load(), collect_texts()) == []
