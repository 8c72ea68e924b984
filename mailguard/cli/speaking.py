"""Click commands whose help speaks the user's language, and a group that loads its commands when they are called."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any, Final, NoReturn, TypeVar

import click

from mailguard.cli.clicktexts import localise_click
from mailguard.cli.exits import INTERRUPTED, OUR_FAILURE, UNREAD
from mailguard.words import LANGUAGES, language_of, translator

_CHOSEN: Final = "mailguard.language"

F = TypeVar("F", bound=Callable[..., Any])


def choose_language(ctx: click.Context, _: click.Parameter | None, language: str | None) -> str | None:
    """Note the language of ``--lang`` for everything that is said from now on."""
    if language:
        ctx.meta[_CHOSEN] = language
        localise_click(language)
    return language


def lang_option(command: F) -> F:
    """``--lang``, for everything that says something. No command is told it: ``language`` and ``say`` know it."""
    option = click.option(
        "--lang",
        type=click.Choice(LANGUAGES),
        is_eager=True,
        expose_value=False,
        callback=choose_language,
        help="Language of the output; without it, that of the locale.",
    )
    return option(command)


def language() -> str:
    """The language of ``--lang``, else that of the user's locale."""
    ctx = click.get_current_context(silent=True)
    chosen: str | None = ctx.meta.get(_CHOSEN) if ctx else None
    return chosen or language_of(os.environ)


def say(text: str) -> str:
    """An interface text in the user's language."""
    return translator(language())(text)


class _SpokenHelp(click.Command):
    """Translates its own help, each paragraph of it as one text, and that of its options."""

    def get_help(self, ctx: click.Context) -> str:
        with self._translated():
            return super().get_help(ctx)

    def get_short_help_str(self, limit: int = 45) -> str:
        paragraph = (self.help or "").strip().partition("\n\n")[0]
        return say(" ".join(paragraph.split()))

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """While help is made, texts stand there in the user's language; afterwards in English again."""
        options = [one for one in self.params if isinstance(one, click.Option) and one.help]
        english = self.help, [option.help for option in options]
        paragraphs = (self.help or "").strip().split("\n\n")
        self.help = "\n\n".join(say(" ".join(paragraph.split())) for paragraph in paragraphs)
        for option in options:
            option.help = say(option.help or "")
        try:
            yield
        finally:
            self.help = english[0]
            for option, text in zip(options, english[1], strict=True):
                option.help = text

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        option = super().get_help_option(ctx)
        if option is not None:
            option.help = say("Show this message and exit.")
        return option


class SpokenCommand(_SpokenHelp):
    """A command with translated help."""


class SpokenGroup(_SpokenHelp, click.Group):
    """A group of such commands. Its ``--lang`` holds for all of them."""

    command_class = SpokenCommand

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        lang_option(self)


class LazyGroup(SpokenGroup):
    """A group that imports a command's module when the command is looked at.

    ``commands_at`` maps names to ``module:attribute``.
    """

    def __init__(self, *args: Any, commands_at: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._commands_at = commands_at

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run as a program. Characters that the console cannot show become ``?``, never an error."""
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="replace")
        localise_click(language_of(os.environ))
        return super().main(*args, **kwargs)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._commands_at)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        place = self._commands_at.get(cmd_name)
        if place is None:
            return None
        module, _, attribute = place.partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # Before anything is parsed: --help, and what is wrong with an option, is told in it wherever --lang stands.
        choose_language(ctx, None, _language_in(args))
        with _telling():
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with _telling():
            return super().invoke(ctx)


def _language_in(arguments: Sequence[str]) -> str | None:
    """What ``--lang`` says, the last one where there are several; None where it is not there or says no language."""
    found = None
    for argument, following in zip(arguments, [*arguments[1:], ""], strict=True):
        if argument == "--":
            break
        name, equals, value = argument.partition("=")
        chosen = value if equals else following
        if name == "--lang" and chosen in LANGUAGES:
            found = chosen
    return found


@contextmanager
def _telling() -> Iterator[None]:
    """The one place where a command ends otherwise than it meant to: one sentence, and the exit code that goes with it.

    A traceback is shown in Python's development mode only.
    """
    from mailguard.errors import OperationError, PlaceError, UsageError

    try:
        yield
    except (UsageError, PlaceError) as error:
        raise click.UsageError(error.told(say)) from error
    except OperationError as error:
        _end(OUR_FAILURE, error.told(say))
    except KeyboardInterrupt:
        _end(INTERRUPTED, say("Interrupted."))
    except BrokenPipeError:
        give_up_output()
        raise click.exceptions.Exit(UNREAD) from None
    except (click.ClickException, click.Abort, click.exceptions.Exit):
        raise
    except OSError as error:
        if error.filename is None:
            give_up_output()
        _end(OUR_FAILURE, _about_the_system(error))
    except Exception as error:
        if sys.flags.dev_mode:
            raise
        message = say("mailguard itself failed ({error}). Please report this; `python -X dev` shows more.")
        _end(OUR_FAILURE, message.format(error=repr(error)))


def _end(code: int, message: str) -> NoReturn:
    with suppress(OSError):  # where nobody can be told, the exit code tells
        click.echo(f"mailguard: {message}", err=True)
    raise click.exceptions.Exit(code)


def give_up_output() -> None:
    """Drop what standard output could not take, which Python would otherwise try to write once more at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _about_the_system(error: OSError) -> str:
    from mailguard.errors import Sentence, system_reason

    reason = system_reason(error)
    if error.filename is None:
        return Sentence("Standard output could not be used ({reason}).", reason=reason).told(say)
    return Sentence("{file} could not be used ({reason}).", file=error.filename, reason=reason).told(say)
