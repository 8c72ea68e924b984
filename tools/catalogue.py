"""Keep the gettext catalogues of the interface complete: ``python -m tools.catalogue [--check]``.

Collects every interface text (calls of ``say``, help texts of commands and options, the tables of phrases), adds new
ones to ``mailguard/locale/ja/LC_MESSAGES/mailguard.po``, drops those that are gone, and compiles the ``.mo`` beside it.
With ``--check`` it changes nothing and fails where a text lacks its translation, a placeholder differs, or the ``.mo``
is out of date.
"""

from __future__ import annotations

import ast
import io
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from mailguard.cli.clicktexts import PLURALS, TEXTS

ROOT = Path(__file__).resolve().parents[1]
PO = ROOT / "mailguard" / "locale" / "ja" / "LC_MESSAGES" / "mailguard.po"
MO = PO.with_suffix(".mo")
_PLACEHOLDER = re.compile(r"\{[a-z_]+(?:![a-z])?(?::[^}]*)?\}")
_SENTENCES = (
    *("Sentence", "UsageError", "DomainError", "TargetError", "PolicyError", "EvidenceError"),
    *("OperationError", "PlaceError", "SpoolError", "SpoolFull", "MailboxError", "ServerRefuses", "StoreAway"),
)
_SAYING = {**dict.fromkeys(("say", "_say", "told", *_SENTENCES), 0), "_told": 1, "problem": 1}
"""Who takes an interface text, and as which argument."""


def collect() -> list[str]:
    """Every English interface text, sorted."""
    from mailguard.cli import main
    from mailguard.cli.gather import all_texts as gathered
    from mailguard.render.phrases import all_texts as phrases

    texts = {*phrases(), *gathered(), *TEXTS, "Show this message and exit."}
    for source in sorted((ROOT / "mailguard").rglob("*.py")):
        texts.update(_said(ast.parse(source.read_text("utf-8"))))
    texts.update(_help(main, click.Context(main)))
    return sorted(texts)


def _said(tree: ast.AST) -> Iterator[str]:
    named = _named_texts(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            place = _SAYING.get(name, len(node.args))
            for text in node.args[place : place + 1]:
                yield from named.get(text.id, ()) if isinstance(text, ast.Name) else _literal(text)


def _named_texts(tree: ast.AST) -> dict[str, list[str]]:
    """Texts that were given a name before they are said, because they are longer than a line."""
    named: dict[str, list[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            named.setdefault(node.targets[0].id, []).extend(_literal(node.value))
    return named


def _literal(node: ast.expr) -> list[str]:
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


def _help(command: click.Command, ctx: click.Context) -> Iterator[str]:
    for paragraph in (command.help or "").strip().split("\n\n"):
        if paragraph:
            yield " ".join(paragraph.split())
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.help:
            yield parameter.help
    if isinstance(command, click.Group):
        for name in command.list_commands(ctx):
            child = command.get_command(ctx, name)
            if child is not None:
                yield from _help(child, ctx)


def load() -> Catalog:
    """The catalogue as it is on disk, or an empty one."""
    if not PO.exists():
        return Catalog(locale="ja", project="mailguard", fuzzy=False)
    with PO.open("rb") as file:
        return read_po(file, locale="ja")


def faults(catalog: Catalog, texts: list[str]) -> list[str]:
    """What is missing or does not agree."""
    wrong = []
    for text in texts:
        message = catalog.get(text)
        if message is None or not message.string or message.string == ("",):
            wrong.append(f"not translated: {text!r}")
        elif not _agrees(text, str(message.string)):
            wrong.append(f"placeholders differ: {text!r}")
    known = {message.id if isinstance(message.id, str) else message.id[0] for message in catalog if message.id}
    texts = [*texts, *(singular for singular, _ in PLURALS)]
    wrong += [f"no longer used: {text!r}" for text in sorted(known - set(texts))]
    if not MO.exists() or MO.read_bytes() != compiled(catalog):
        wrong.append("mailguard.mo is out of date")
    return wrong


def _agrees(text: str, translation: str) -> bool:
    """Whether the placeholders are the same. What click puts into its texts is English in part, and may be left out."""
    wanted, found = (sorted(_PLACEHOLDER.findall(one)) for one in (text, translation))
    return wanted == found or (text in TEXTS and set(found) < set(wanted))


def compiled(catalog: Catalog) -> bytes:
    """The binary form."""
    buffer = io.BytesIO()
    write_mo(buffer, catalog)
    return buffer.getvalue()


def update(texts: list[str]) -> Catalog:
    """Write the catalogue with exactly ``texts``, translations kept."""
    old = load()
    fresh = Catalog(locale="ja", project="mailguard", fuzzy=False, creation_date=old.creation_date)
    fresh.revision_date = old.revision_date
    for text in texts:
        message = old.get(text)
        fresh.add(text, message.string if message else "")
    for plural in PLURALS:
        message = old.get(plural[0])
        fresh.add(plural, message.string if message else ("",))
    PO.parent.mkdir(parents=True, exist_ok=True)
    # Put in its place at once, since half a catalogue would be read as one with few translations.
    written = PO.with_suffix(f".{os.getpid()}")
    with written.open("wb") as file:
        write_po(file, fresh, width=120, omit_header=False)
    written.replace(PO)
    MO.write_bytes(compiled(load()))
    return load()


def main() -> int:
    """Command line."""
    texts = collect()
    catalog = load() if "--check" in sys.argv[1:] else update(texts)
    wrong = faults(catalog, texts)
    for line in wrong:
        print(line)
    print(f"{len(texts)} texts, {len(wrong)} faults")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
