"""SARIF 2.1.0, the form that code-scanning dashboards read. Streams: head, results as they come, tail."""

from __future__ import annotations

from typing import Any, Final

from mailguard import __version__
from mailguard.guides import fill, load_guide
from mailguard.render.reading import Document, is_waived
from mailguard.render.safe import json_text, visible
from mailguard.rules.catalogue import RULES

_LEVELS: Final = {"critical": "error", "high": "error", "medium": "warning", "low": "note", "info": "note"}
_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"


class Sarif:
    """One run over all audited domains; a result for each finding."""

    def __init__(self, language: str, *, ascii_only: bool = False) -> None:
        self._language = language
        self._ascii_only = ascii_only
        self._count = 0

    def begin(self) -> str:
        """The tool, its rules, and the opening of the results."""
        driver = {"name": "mailguard", "version": __version__, "rules": [self._rule(rule_id) for rule_id in RULES]}
        head = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": []}]}
        return json_text(head, ascii_only=self._ascii_only).removesuffix("]}]}")

    def item(self, document: Document) -> str:
        """The findings of one audit."""
        return "".join(self._joined(self._result(finding, document)) for finding in document["findings"])

    def end(self) -> str:
        """The closing brackets."""
        return "]}]}\n"

    def _joined(self, result: dict[str, Any]) -> str:
        self._count += 1
        return ("" if self._count == 1 else ",") + "\n" + json_text(result, ascii_only=self._ascii_only)

    def _rule(self, rule_id: str) -> dict[str, Any]:
        rule, guide = RULES[rule_id].rule, load_guide(rule_id, self._language)
        return {
            "id": rule.id,
            "name": rule.name,
            "shortDescription": {"text": guide.title},
            "help": {"text": "\n\n".join(f"{heading}\n{body}" for heading, body in guide.sections)},
            "defaultConfiguration": {"level": _LEVELS[rule.severity]},
            "properties": {"severity": rule.severity, "confidence": rule.confidence, "cites": rule.cites},
        }

    def _result(self, finding: Document, document: Document) -> dict[str, Any]:
        guide = load_guide(finding["rule"], self._language)
        facts = {**finding["facts"], "domain": document["domain_unicode"]}
        result: dict[str, Any] = {
            "ruleId": finding["rule"],
            "level": _LEVELS[finding["severity"]],
            "message": {"text": fill(guide.summary, facts, self._language, visible)},
            "locations": [{"logicalLocations": [{"fullyQualifiedName": finding["at"], "kind": "resource"}]}],
            "partialFingerprints": {"mailguard/1": f"{finding['rule']}:{document['domain']}:{finding['at']}"},
            "properties": {"domain": document["domain"], "facts": finding["facts"], "fix": finding["fix"]},
        }
        if is_waived(finding):
            result["suppressions"] = [{"kind": "external", "justification": finding["waived"]["reason"]}]
        return result
