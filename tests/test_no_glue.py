"""No sentence is put together from parts: what is joined to a said text is punctuation, layout, or a name before it.

Word order differs between languages, so a text that is continued in code can be right in one of them only.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailguard import __file__ as ours

PACKAGE = Path(ours).parent
SAYING = frozenset({"say", "_say", "texts", "told", "words"})
NAMES = frozenset({"mailguard", "DKIM", "SPF", "DMARC"})
"""May stand before a text, as whose text it is."""

PLACES = sorted(
    path for folder in ("guidebook", "render", "cli", "sending", "worker") for path in (PACKAGE / folder).rglob("*.py")
)


def glue(tree: ast.AST) -> Iterator[str]:
    """Literals with words that are joined to a said text by ``+``, ``%`` or in an f-string."""
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
            parts: list[ast.expr] = [node.left, node.right]
        elif isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.FormattedValue) else part for part in node.values]
        else:
            continue
        if any(map(_is_said, parts)):
            yield from (word for part in parts for word in _words(part) if word not in NAMES)


def _is_said(node: ast.expr) -> bool:
    """A call that says something, also one that is formatted afterwards."""
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Attribute):
        return node.func.attr in SAYING or (node.func.attr == "format" and _is_said(node.func.value))
    return isinstance(node.func, ast.Name) and node.func.id in SAYING


def _words(node: ast.expr) -> list[str]:
    if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        return []
    markup = re.sub(r"<[^>]*>|</?[a-z0-9]+|[a-z-]+=", "", node.value)
    return re.findall(r"[^\W\d_]{2,}", markup)


@pytest.mark.parametrize("path", PLACES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_sentence_is_glued(path: Path) -> None:
    assert list(glue(ast.parse(path.read_text("utf-8")))) == []


@pytest.mark.parametrize(
    "code",
    ['say("Ask") + " your vendor"', 'f"{texts(name)}をご確認ください"', '"Sum of " + say("messages").format(n=1)'],
)
def test_glue_is_noticed(code: str) -> None:
    assert list(glue(ast.parse(code)))
