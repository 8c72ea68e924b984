"""The audit as Markdown: what was seen, then each finding with its whole guide page and the record to publish."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.guides import fill, load_guide
from mailguard.render.phrases import SCOPES, Phrases
from mailguard.render.reading import Document, has_rival_decisions, is_waived
from mailguard.render.safe import clip, markdown, markdown_code, visible


class Markdown:
    """Documents to Markdown text."""

    def __init__(self, language: str) -> None:
        self._phrases = Phrases(language)
        self._say = self._phrases.say
        self._language = language
        self._shown: set[str] = set()

    def begin(self) -> str:
        """Nothing."""
        return ""

    def item(self, document: Document) -> str:
        """One audit."""
        self._shown.clear()
        lines = [
            f"# {markdown(document['domain_unicode'])}",
            "",
            *self._answer(document),
            "",
            *self._facts(document),
            *self._programmes(document),
            *self._findings(document),
            *self._opinion(document),
            *self._unanswered(document),
        ]
        return "\n".join(lines) + "\n\n"

    def end(self) -> str:
        """Nothing."""
        return ""

    def _answer(self, document: Document) -> Iterator[str]:
        if suffix := self._phrases.public_suffix(document, markdown(document["domain_unicode"])):
            yield from (suffix, "")
        yield f"**{self._say('Can a stranger send mail in this name (at receivers that honour DMARC)?')}**"
        yield ""
        for scope in SCOPES:
            who = self._phrases.scope(scope, markdown(document["domain_unicode"]))
            verdict = self._phrases.verdict(document["spoofable"][scope])
            reason = self._phrases.reason(document["spoofable"]["reasons"][scope])
            yield f"- {who}: **{verdict}** {self._phrases.aside(reason)}"
        if network := self._phrases.network(document):
            yield from ("", network)

    def _facts(self, document: Document) -> Iterator[str]:
        yield f"| | {self._say('State')} | {self._say('Record')} |"
        yield "|---|---|---|"
        for label, part in (("SPF", document["spf"]), ("DMARC", document["dmarc"])):
            record = f"`{markdown_code(part['record'])}`" if part["record"] else ""
            yield f"| {label} | {self._phrases.state(part['status'])} | {record} |"
        keys = [key["selector"] for key in document["dkim"]["selectors"] if key["status"] != "absent"]
        yield f"| DKIM | {self._phrases.state(document['dkim']['status'])} | {markdown(', '.join(keys))} |"
        hosts = markdown(", ".join(document["mx"]["hosts"]))
        yield f"| MX | {self._phrases.mx(document['mx']['status'])} | {hosts} |"
        if document["parked"]["status"] in ("perfect", "imperfect"):
            yield from ("", self._phrases.state(document["parked"]["status"]))
        yield ""
        yield self._say("{questions} questions, {seconds} s, as of {when}").format(
            questions=document["questions"], seconds=document["duration_s"], when=document["as_of"]
        )

    def _programmes(self, document: Document) -> Iterator[str]:
        if document["programmes"]:
            yield ""
            yield self._say("Sender requirements (o met, x not met, ? not known, - cannot be seen from outside)")
            yield ""
        for row in document["programmes"]:
            yield f"- {markdown(self._phrases.requirement(row))}"

    def _findings(self, document: Document) -> Iterator[str]:
        if not (document["findings"] or self._phrases.network(document)):
            yield ""
            yield self._phrases.nothing_found(document)
        for finding in document["findings"]:
            yield ""
            yield from self._finding(finding, document)
        if has_rival_decisions(document):
            yield from ("", self._phrases.one_at_a_time())

    def _finding(self, finding: Document, document: Document) -> Iterator[str]:
        guide = load_guide(finding["rule"], self._language)
        facts = {**finding["facts"], "domain": document["domain_unicode"]}
        yield f"## {finding['rule']} {guide.title}"
        yield ""
        yield f"{self._phrases.severity(finding['severity'])} / {self._phrases.confidence(finding['confidence'])}"
        yield ""
        yield fill(guide.summary, facts, self._language, _prose, _code)
        if is_waived(finding):
            yield ""
            yield self._say("Waived until {until}: {rule} ({reason})").format(
                until=finding["waived"]["until"],
                rule=finding["rule"],
                reason=markdown(finding["waived"]["reason"]),
            )
        for heading, body in guide.sections:
            yield from ("", f"### {heading}", "", fill(body, facts, self._language, _prose, _code))
        yield from self._fix(finding["fix"])

    def _fix(self, fix: Document | None) -> Iterator[str]:
        if fix is None:
            return
        yield ""
        if repr(fix) in self._shown:
            yield self._say("The record shown above corrects this too.")
            return
        self._shown.add(repr(fix))
        readiness = self._phrases.readiness(fix["readiness"])
        yield f"### {self._say('What to publish ({readiness}):').format(readiness=readiness).rstrip(':')}"
        yield ""
        for reason in fix["reasons"]:
            yield f"- {self._phrases.reason(reason)}"
        for record in fix["records"]:
            yield from self._record(record)

    def _record(self, record: Document) -> Iterator[str]:
        yield from ("", "```text", f"{visible(record['name'])} {record['type']}")
        yield from (f"- {_fenced(value)}" for value in record["before"])
        yield from (f"+ {_fenced(value)}" for value in record["after"])
        yield "```"
        for parts in record["split"]:
            if len(parts) > 1:
                yield from ("", self._say("split for panels that want at most 255 characters:"), "", "```text")
                yield " ".join(f'"{_fenced(part)}"' for part in parts)
                yield "```"

    def _opinion(self, document: Document) -> Iterator[str]:
        opinion = document.get("second_opinion")
        if not opinion:
            return
        heading = self._say("Second opinion (checkdmarc {version} on the same evidence)")
        yield from ("", f"## {heading.format(version=opinion['version'])}", "")
        if not opinion["disagreements"]:
            yield self._say("It agrees.")
        for difference in opinion["disagreements"]:
            yield f"- {difference['aspect']}: {markdown(difference['explanation'][self._language])}"

    def _unanswered(self, document: Document) -> Iterator[str]:
        if document["unanswered"]:
            yield ""
            yield f"## {self._say('Not answered, so nothing is concluded from it:').rstrip(':')}"
            yield ""
        for row in document["unanswered"]:
            yield f"- `{markdown_code(row['name'])}` {row['type']}: {self._phrases.unanswered(row)}"


def _prose(text: str) -> str:
    return markdown(clip(text))


def _code(text: str) -> str:
    return markdown_code(clip(text))


def _fenced(text: str) -> str:
    return visible(text).replace("```", r"\u{60}``")
