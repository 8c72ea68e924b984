"""Write what is made from code and data: rule index, clause table, tables of policies and bounds, third-party notices.

``python -m tools.make_docs`` writes them, ``--check`` only says which are out of date (exit 1). They are committed, so
that a reader on the web sees them, and tests/test_docs.py fails when one is out of date.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailguard.rules.base import Rule

ROOT = Path(__file__).parents[1]

_SEVERITY_JA = {"critical": "緊急", "high": "高", "medium": "中", "low": "低", "info": "情報"}
_LOCKED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)(?:\s*;\s*([^\\]+?))?\s*\\?$", re.MULTILINE)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table; cells may hold any text."""
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def rules_page() -> str:
    """docs/rules.md: every rule of the catalogue, in the order in which findings are told."""
    from mailguard.rules.catalogue import RULES

    rows = [_rule_row(finding.rule) for finding in RULES.values()]
    return f"""# ルール一覧 / The rules

`tools/make_docs.py` がルールの一覧から作るページです。手では直しません。全部で {len(rows)} 件あります。
Made from the catalogue by `tools/make_docs.py`; not edited by hand. There are {len(rows)} rules.

重大度（severity）は「どのくらい困るか」、確度（confidence）は「どのくらい確かか」です。別のものとして読んでください。
Severity says how bad, confidence how sure. A policy file may weigh a rule otherwise ([policies](policies.md)).
手元では `mailguard rules show ID` で同じ説明を読めます。`mailguard rules show ID` prints the same pages.

{table(("ID", "名前 / name", "重大度 / severity", "確度 / confidence", "日本語", "English", "根拠 / clauses"), rows)}
"""


def _rule_row(rule: Rule) -> list[str]:
    from mailguard.guides import load_guide

    pages = [f"[{load_guide(rule.id, lang).title}](../mailguard/guides/{lang}/{rule.id}.md)" for lang in ("ja", "en")]
    severity = f"{_SEVERITY_JA[rule.severity]} / {rule.severity}"
    spec = f"[{rule.id}](../tests/specs/{rule.id}.md)"
    return [spec, f"`{rule.name}`", severity, str(rule.confidence), *pages, "; ".join(rule.cites)]


@dataclass(frozen=True)
class Clause:
    """One line of docs/clauses/*.toml: a statement of a standard and what became of it here."""

    id: str
    clause: str
    says: str
    rules: tuple[str, ...]
    no_rule: str
    tests: tuple[str, ...] = ()
    """What holds code without a rule to it: ``path::test``, or the name of a case in tests/feedback/suite."""

    @property
    def sort_key(self) -> tuple[object, ...]:
        """Digest, then sections by number: 04-3.10 comes after 04-3.9."""
        parts = re.findall(r"\d+|[^\d.\-]+", self.id)
        return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts)


def read_clauses(folder: Path = ROOT / "docs" / "clauses") -> list[Clause]:
    """Every clause line, in the order of the table."""
    clauses = [clause for path in sorted(folder.glob("*.toml")) for clause in _read_file(path)]
    return sorted(clauses, key=lambda clause: clause.sort_key)


def _read_file(path: Path) -> Iterator[Clause]:
    for line in tomllib.loads(path.read_text("utf-8"))["clause"]:
        unknown = set(line) - {"id", "clause", "says", "rules", "no_rule", "tests"}
        if unknown:
            raise ValueError(f"{path.name}: {line.get('id')}: unknown keys {sorted(unknown)}")
        rules, reason, tests = tuple(line.get("rules", ())), line.get("no_rule", ""), tuple(line.get("tests", ()))
        yield Clause(line["id"], line["clause"], line["says"], rules, reason, tests)


def clauses_page() -> str:
    """docs/clauses.md: the numbered table of clauses and what answers each."""
    rows = [
        [str(number), line.id, line.clause, line.says, _answer(line)]
        for number, line in enumerate(read_clauses(), start=1)
    ]
    ruled = sum(bool(line.rules) for line in read_clauses())
    tested = sum(bool(line.tests) for line in read_clauses())
    return f"""# 条文とルールの対応 / Clauses and rules

`tools/make_docs.py` が `docs/clauses/*.toml` から作るページです。手では直しません。
Made from `docs/clauses/*.toml` by `tools/make_docs.py`; not edited by hand.

Every statement of the standards on DMARC (01), SPF (04), DKIM (05) and domains without mail (08) that names a way to
be wrong, and every one on reports (02, 03, part of 06): {len(rows)} lines, {ruled} with rules, {tested} with the tests
that hold our reading of reports to it, {len(rows) - ruled - tested} with the reason why neither is needed. The second
column is the place in our digests of the standards (digest, section, running number), the third the clause itself.

{table(("#", "digest", "clause", "what it says", "rule or test, or why none"), rows)}
"""


def _answer(line: Clause) -> str:
    if line.rules:
        return ", ".join(f"[{rule}](../tests/specs/{rule}.md)" for rule in line.rules)
    return ", ".join(map(_test_link, line.tests)) or line.no_rule


def _test_link(test: str) -> str:
    path, found, function = test.partition("::")
    if found:
        return f"[{function.removeprefix('test_').replace('_', ' ')}](../{path})"
    return f"[{test}](../tests/feedback/test_suite.py)"


def locked_packages(path: Path = ROOT / "requirements" / "run.txt") -> list[tuple[str, str, str]]:
    """Name, version and environment marker of every locked run-time dependency."""
    return [(match[1], match[2], match[3] or "") for match in _LOCKED.finditer(path.read_text("utf-8"))]


def notices_page() -> str:
    """THIRD_PARTY_NOTICES.md: what is installed beside mailguard, and under which licence."""
    rows = [_notice(*package) for package in locked_packages()]
    return f"""# Third-party notices

mailguard contains no code of others. Installing it also installs these libraries, each under its own licence; the full
licence texts come with each of them (`*.dist-info`). Made from the metadata of the locked run-time dependencies
(`requirements/run.txt`) by `tools/make_docs.py`; a test fails when a dependency is missing here.

{table(("package", "version", "licence", "home"), rows)}
"""


def _notice(name: str, version: str, marker: str) -> list[str]:
    try:
        about = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        # A dependency of another platform is locked too, and its metadata cannot be seen from here.
        return [name, version, f"see the package (installed only where `{marker}`)", ""]
    return [name, version, _licence(about), _home(about)]


def _licence(about: metadata.PackageMetadata) -> str:
    # PEP 639 first; older packages say it in a free text, or only in a classifier.
    stated = _first(about, "License-Expression") or _first(about, "License")
    if stated and "\n" not in stated and stated.upper() != "UNKNOWN":
        return stated
    classifiers = about.get_all("Classifier") or []
    names = [line.rsplit(" :: ", 1)[1] for line in classifiers if line.startswith("License :: ")]
    return ", ".join(names) or "see the package"


def _first(about: metadata.PackageMetadata, key: str) -> str:
    return next(iter(about.get_all(key) or []), "")


def _home(about: metadata.PackageMetadata) -> str:
    urls = dict(line.split(", ", 1) for line in about.get_all("Project-URL") or [] if ", " in line)
    wanted = ("homepage", "source", "source code", "repository", "code", "github")
    by_label = {label.lower(): url for label, url in urls.items()}
    return next((by_label[label] for label in wanted if label in by_label), _first(about, "Home-page"))


def policies_section() -> str:
    """For docs/policies.md: the policies that come with mailguard, each with its newest source."""
    rows = [_policy_row(path) for path in sorted((ROOT / "policies").glob("*.toml"))]
    return table(("名前 / name", "日本語", "English", "出典（読んだ日） / sources (as read on)"), rows)


def _policy_row(path: Path) -> list[str]:
    policy = tomllib.loads(path.read_text("utf-8"))
    sources = [f"{source['title']} ({source['read_on']})" for source in policy.get("sources", {}).values()]
    title = policy["title"]
    return [f"`{path.stem}`", title["ja"], title["en"], "; ".join(sources)]


_BOUNDS = (
    ("mail_bytes", "メール全体", "whole mail"),
    ("header_bytes", "ヘッダー", "header block"),
    ("containers", "入れ子になった部分", "nested parts"),
    ("members", "ファイル（圧縮ファイルの中も含む）", "files, those inside archives included"),
    ("inflated_bytes", "展開したあとの大きさ", "all that comes out of archives"),
    ("ratio", "圧縮率（展開した大きさが一定を超えてから）", "bytes out per byte in, asked once much has come out"),
    ("depth", "XML の深さ", "depth of XML"),
    ("elements", "1通のレポートの要素", "elements of all reports in a mail"),
    ("spare_elements", "そのうち、読める行にならないもの", "those of them that bring no record"),
    ("record_bytes", "1行の大きさ", "one record"),
    ("records", "1つのレポートの行", "records of a report"),
    ("text_chars", "1つの値の文字数", "characters of one value"),
    ("json_bytes", "TLS レポート", "a TLS report"),
)


def bounds_section() -> str:
    """For docs/reports.md: what may be in one mail."""
    from mailguard.feedback.limits import DEFAULT_LIMITS

    rows = [(f"`{name}`", ja, en, _amount(name, getattr(DEFAULT_LIMITS, name))) for name, ja, en in _BOUNDS]
    return table(("上限 / bound", "何の", "of what", "値 / value"), rows)


def _amount(name: str, value: int) -> str:
    if not name.endswith("_bytes"):
        return f"{value:,}"
    return f"{value // 1024**2} MiB" if value >= 1024**2 else f"{value // 1024} KiB"


def with_section(path: Path, name: str, made: Callable[[], str]) -> Callable[[], str]:
    """The page as it stands, with what lies between ``<!-- name -->`` and ``<!-- /name -->`` made anew."""

    def page() -> str:
        start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        before, found, rest = path.read_text("utf-8").partition(start)
        if not found or end not in rest:
            raise ValueError(f"{path.name} has no {start.strip()} ... {end}")
        return f"{before}{start}{made()}\n{end}{rest.partition(end)[2]}"

    return page


def example_section(language: str) -> Callable[[], str]:
    """For a README: what an audit prints."""

    def section() -> str:
        from tools.example import DOMAIN, SELECTOR, example

        return f"```text\n$ mailguard audit {DOMAIN} --selector {SELECTOR}\n\n{example(language)}\n```"

    return section


POLICIES_PAGE = ROOT / "docs" / "policies.md"
REPORTS_PAGE = ROOT / "docs" / "reports.md"

READMES = {"ja": ROOT / "README.md", "en": ROOT / "README.en.md"}

PAGES: dict[Path, Callable[[], str]] = {
    **{path: with_section(path, "example", example_section(language)) for language, path in READMES.items()},
    ROOT / "docs" / "rules.md": rules_page,
    ROOT / "docs" / "clauses.md": clauses_page,
    POLICIES_PAGE: with_section(POLICIES_PAGE, "policies", policies_section),
    REPORTS_PAGE: with_section(REPORTS_PAGE, "bounds", bounds_section),
    ROOT / "THIRD_PARTY_NOTICES.md": notices_page,
}


def stale_pages() -> list[Path]:
    """The pages whose text on disk is not what the code and data say now."""
    return [path for path, make in PAGES.items() if not path.exists() or path.read_text("utf-8") != make()]


def main(arguments: list[str]) -> int:
    """Write the pages, or with ``--check`` only name those out of date."""
    stale = stale_pages()
    for path in stale:
        if "--check" not in arguments:
            path.write_text(PAGES[path](), "utf-8")
        print(("out of date: " if "--check" in arguments else "written: ") + str(path.relative_to(ROOT)))
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
