"""The layout's templates, and those of a brand in front of them.

Ours are found under their own names and under ``mailguard/``, so that a brand's ``base.html.j2`` can say
``{% extends "mailguard/base.html.j2" %}`` and change one block. Templates of a brand may have come from anywhere, so
they run in Jinja's sandbox, and get values to show, not objects that reach the disk.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import cache, lru_cache
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mailguard.errors import Sentence, UsageError
from mailguard.render.book.memory import MAX_BYTES, bounded_memory
from mailguard.render.book.spans import anchor
from mailguard.render.book.style import css_string, page_string
from mailguard.render.safe import visible
from mailguard.resources import templates

if TYPE_CHECKING:
    from jinja2 import BaseLoader, Environment
    from jinja2.nodes import Template
    from jinja2.sandbox import SandboxedEnvironment

MAX_CHARACTERS: Final = 2**25
"""Of one file that a brand's templates make; the report on 1,000 clinics has a tenth of it."""

_MOST_TIMES: Final = 10_000
_MOST_POWER: Final = 64
_SUFFIX: Final = ".j2"
_OURS: Final = "mailguard/"
_THEIR_OWN: Final = ("own/", "parts/")
"""Where a brand may have templates that ours do not know: partials of its own, and parts, of which each has an id."""


@lru_cache(maxsize=8)
def environment_of(folder: Path | None) -> Environment:
    """Templates compiled when they are first used, those of a brand's folder before ours."""
    from jinja2 import Environment, StrictUndefined

    kind = _sandbox() if folder else Environment
    made = kind(
        autoescape=True,
        auto_reload=False,
        loader=_loader(folder),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(visible=visible, anchor=anchor, css_string=css_string, page_string=page_string)
    return made


@cache
def _sandbox() -> type[SandboxedEnvironment]:
    """Jinja's sandbox, in which no single multiplication runs away either."""
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Sandbox(ImmutableSandboxedEnvironment):
        intercepted_binops = frozenset({"*", "**"})

        def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
            if (operator == "*" and _repeats(left, right)) or (operator == "**" and _soars(right)):
                raise OverflowError(f"{operator} makes too much here")
            return super().call_binop(context, operator, left, right)

    return Sandbox


def _repeats(left: object, right: object) -> bool:
    """Whether a text or a list would be repeated too often."""
    numbers = [one for one in (left, right) if isinstance(one, int)]
    return (
        len(numbers) == 1 and numbers[0] > _MOST_TIMES and not isinstance(left, float) and not isinstance(right, float)
    )


def _soars(power: object) -> bool:
    return isinstance(power, int) and power > _MOST_POWER


def check_size(text: str, folder: Path | None) -> str:
    """The text, unless templates of a brand made it too long. Raises UsageError then."""
    if folder and len(text) > MAX_CHARACTERS:
        told = "The templates in {folder} make a guide of more than {limit} characters; see what they repeat."
        raise UsageError(told, folder=str(folder), limit=f"{MAX_CHARACTERS:,}")
    return text


def check_templates(folder: Path) -> None:
    """Compile all that lies in a brand's folder. Raises UsageError: file, line, and what is wrong there.

    A template or a block whose name is none of ours would never be used, which nobody would notice.
    """
    environment = environment_of(folder)
    _check_links(folder)
    for file in sorted(folder.rglob(f"*{_SUFFIX}")):
        name = file.relative_to(folder).as_posix()
        if name not in our_names() and not name.startswith(_THEIR_OWN):
            told = "{file} takes the place of no template of ours; templates of your own belong into the folder {own}."
            raise UsageError(told, file=str(file), own=_THEIR_OWN[0])
        with telling(folder):
            tree = environment.parse(file.read_text("utf-8"), name, str(file))
            environment.get_template(name)
        _check_blocks(file, tree, environment)


def _check_links(folder: Path) -> None:
    """A folder that came from somebody else must not put other files of this machine into guides that are sent."""
    for file in sorted(folder.rglob("*")):
        if not file.resolve().is_relative_to(folder.resolve()):
            told = "{file} leads out of its folder; put the file itself there."
            raise UsageError(told, file=str(file))


def _check_blocks(file: Path, tree: Template, environment: Environment) -> None:
    from jinja2 import nodes

    base = next((node.template for node in tree.find_all(nodes.Extends)), None)
    if not isinstance(base, nodes.Const) or base.value.removeprefix(_OURS) not in our_names():
        return
    known = environment.get_template(base.value).blocks
    for block in tree.find_all(nodes.Block):
        if block.name not in known:
            told = "{file}, line {line}: {base} has no block {name}; it has {known}."
            names = ", ".join(sorted(known))
            raise UsageError(told, file=str(file), line=block.lineno, base=base.value, name=block.name, known=names)


@contextmanager
def telling(folder: Path | None) -> Iterator[None]:
    """Tells what goes wrong in a brand's template as UsageError; what goes wrong in ours stays what it is.

    A brand's templates get only so much memory.
    """
    from jinja2 import TemplateNotFound, TemplateSyntaxError

    try:
        with bounded_memory() if folder else nullcontext():
            yield
    except (MemoryError, SystemError) as error:
        # Python 3.13 raises the latter where there is no memory left to say so.
        reason = Sentence("it takes more than {size} MB of memory", size=MAX_BYTES // 2**20)
        _tell(folder, *_place(folder, error), reason, error)
        raise
    except TemplateSyntaxError as error:
        _tell(folder, Path(error.filename or ""), error.lineno, error.message or "", error)
        raise
    except TemplateNotFound as error:
        _tell(folder, *_place(folder, error), Sentence("there is no template {name}", name=error.name), error)
        raise
    except Exception as error:
        _tell(folder, *_place(folder, error), str(error), error)
        raise


def _tell(folder: Path | None, file: Path, line: int, reason: str, error: Exception) -> None:
    if folder and file.is_relative_to(folder):
        told = "{file}, line {line}: {reason}; correct the template."
        raise UsageError(told, file=str(file), line=line, reason=reason) from error


def _place(folder: Path | None, error: Exception) -> tuple[Path, int]:
    """Where in a brand's templates an error arose; Jinja gives the frames of templates their own files and lines."""
    frames = [(Path(frame.filename), frame.lineno or 0) for frame in traceback.extract_tb(error.__traceback__)]
    frames += _unmapped(error.__context__) if isinstance(error, SystemError) else []
    return next((frame for frame in reversed(frames) if folder and frame[0].is_relative_to(folder)), (Path(), 0))


def _unmapped(error: BaseException | None) -> list[tuple[Path, int]]:
    """The same where Jinja had no memory left to give frames their own lines."""
    found = []
    for frame, line in traceback.walk_tb(error.__traceback__ if error else None):
        if template := frame.f_globals.get("__jinja_template__"):
            found.append((Path(template.filename or ""), template.get_corresponding_lineno(line)))
    return found


def _loader(folder: Path | None) -> BaseLoader:
    from jinja2 import ChoiceLoader, FileSystemLoader, FunctionLoader, PrefixLoader

    ours = FunctionLoader(_our_text)
    theirs = [FileSystemLoader(folder)] if folder else []
    return ChoiceLoader([PrefixLoader({_OURS.rstrip("/"): ours}), *theirs, ours])


def _our_text(name: str) -> str | None:
    return _our_folder().joinpath(name).read_text("utf-8") if name in our_names() else None


@cache
def our_names() -> frozenset[str]:
    """Names of our own templates."""
    return frozenset(_names(_our_folder(), ""))


def _our_folder() -> Traversable:
    return templates() / "guide"


def _names(folder: Traversable, above: str) -> Iterator[str]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _names(entry, f"{above}{entry.name}/")
        elif entry.name.endswith(_SUFFIX):
            yield above + entry.name
