"""The short phrases that several renderers share: verdicts, severities, states, reasons.

Codes are those of the document; every code has its English text here and its translation in the catalogue.
"""

from __future__ import annotations

from typing import Any, Final

from mailguard.words import translator

SCOPES: Final = ("domain", "subdomain", "nonexistent_subdomain")

_SCOPES: Final = {
    "domain": "as anyone@{domain}",
    "subdomain": "as an existing subdomain",
    "nonexistent_subdomain": "as an invented subdomain",
}
_VERDICTS: Final = {"yes": "yes", "no": "no", "partly": "partly", "unknown": "not known"}
_SEVERITIES: Final = {
    "critical": "critical",
    "high": "high",
    "medium": "medium",
    "low": "low",
    "info": "note",
}
_CONFIDENCES: Final = {"certain": "certain", "likely": "likely", "possible": "possible"}
_STATES: Final = {
    "valid": "in order",
    "none": "none published",
    "permerror": "broken (permanent error)",
    "invalid": "not applied as written",
    "unanswered": "not answered",
    "present": "key seen",
    "absent": "no keys",
    "unknown": "not known from outside",
    "hosts": "mail servers named",
    "implicit": "no MX; mail goes to the address of the domain",
    "null": "receives no mail (null MX)",
    "ok": "in order",
    "weak": "short key",
    "too_short": "key too short to count",
    "revoked": "revoked",
    "testing": "in test mode",
    "perfect": "a domain without mail, protected as one",
    "imperfect": "a domain without mail, whose protection is not complete",
    "not_parked": "domain with mail",
}
_MX: Final = {"none": "no mail servers", "invalid": "not usable as written"}
_KEYS: Final = {"invalid": "no usable key"}
_ANSWERS: Final = {
    "timeout": "no answer in time",
    "servfail": "the server could not find out",
    "refused": "the server refused",
    "error": "no usable answer",
    "not-asked": "not asked",
}
_NOTES: Final = {
    "budget": "the limit of 100 questions was reached",
    "deadline": "the time for one domain was over",
    "spf-tree": "the SPF records that include each other were too many to read all",
    "evidence": "not in the evidence",
    "unaskable": "no name that DNS can hold",
    "closed": "the run was ending",
    "lame": "the server does not look up names",
    "malformed": "the answer could not be read",
    "cname-loop": "aliases go round in a circle",
    "cname-chain": "too many aliases in a row",
}
_WITHOUT_ANSWER: Final = {
    "unreachable": "the DNS server could not be reached",
    "cut-off": "said not to exist, by a DNS server that seems not to reach the internet",
}
_READINESS: Final = {
    "paste-as-is": "paste as is",
    "needs-your-decision": "needs your decision",
}
_STANDINGS: Final = {"S": "read second-hand", "M": "not verified"}
_STRENGTHS: Final = {"required": "required", "advised": "advised"}
_MARKS: Final = {"met": "o", "unmet": "x", "unknown": "?", "not-checkable": "-"}
_REASONS: Final = {
    "tightens-policy": "mail that passes no check would be treated more strictly",
    "loosens-policy": "mail that passes no check would be treated more mildly",
    "tightens-spf": "servers that are not listed would fail",
    "loosens-spf": "servers that are not listed would be treated more mildly than one of today's records asks",
    "record-of-others": "the record stands at a domain above this one and counts for every name below it",
    "stops-authorizing": "a server that is listed today would no longer be",
    "report-address": "the mailbox for reports must exist first",
    "assumes-no-mail": "right only if this domain sends no mail",
    "reject": "the policy is reject, and SPF lets no stranger pass",
    "quarantine": "the policy is quarantine: such mail goes to the junk folder",
    "no-policy": "no DMARC policy applies",
    "policy-none": "the policy is none: watch only",
    "spf-passes-everyone": "SPF lets everybody pass",
    "key-open-to-all": "everybody can sign with a DKIM key of this domain",
    "unanswered": "a deciding question was not answered",
    "spf-unknown": "whether SPF lets strangers pass could not be seen",
}

_NETWORK: Final = {
    "cut-off": "Your DNS server seems not to reach the internet, so what it says does not exist is not believed. "
    "Name another one with --nameserver, or audit from another network.",
    "silent": "Nothing could be judged. Check the network, or name another DNS server with --nameserver.",
}

_PUBLIC_SUFFIX: Final = (
    "{domain} is not the domain of one organisation: others register theirs below it. "
    "What follows is about {domain} itself; for one organisation, name its whole domain."
)

_MANY: Final = 999

ONE_AT_A_TIME: Final = "Of several decisions about one record take one, then audit again: each is a whole record."


class Phrases:
    """The phrases in one language. Unknown codes are shown as they are."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.say = translator(language)

    def _of(self, table: dict[str, str], code: str) -> str:
        return self.say(table[code]) if code in table else code

    def scope(self, scope: str, domain: str) -> str:
        """Who a stranger might pose as."""
        return self._of(_SCOPES, scope).format(domain=domain)

    def verdict(self, code: str) -> str:
        """yes, no, partly, not known."""
        return self._of(_VERDICTS, code)

    def severity(self, code: str) -> str:
        """How bad."""
        return self._of(_SEVERITIES, code)

    def confidence(self, code: str) -> str:
        """How sure."""
        return self._of(_CONFIDENCES, code)

    def state(self, code: str) -> str:
        """State of SPF, DMARC or DKIM."""
        return self._of(_STATES, code)

    def mx(self, code: str) -> str:
        """State of the MX records."""
        return self._of(_MX, code) if code in _MX else self.state(code)

    def key(self, code: str) -> str:
        """State of a DKIM selector."""
        return self._of(_KEYS, code) if code in _KEYS else self.state(code)

    def unanswered(self, row: dict[str, Any]) -> str:
        """What became of a question that has no answer, and why."""
        if row["note"] in _WITHOUT_ANSWER:
            return self._of(_WITHOUT_ANSWER, row["note"])
        note = f" ({self._of(_NOTES, row['note'])})" if row["note"] else ""
        return self._of(_ANSWERS, row["status"]) + note

    def one_at_a_time(self) -> str:
        """Why two decisions about one record cannot both be pasted."""
        return self.say(ONE_AT_A_TIME)

    def lookups(self, count: int) -> str:
        """SPF look-ups of the limit; hostile includes multiply, and a number past all bounds tells nobody anything."""
        shown = str(count) if count <= _MANY else f"> {_MANY}"
        return self.say("look-ups: {count} of 10").format(count=shown)

    def readiness(self, code: str) -> str:
        """Whether a fix may be pasted as it is."""
        return self._of(_READINESS, code)

    def reason(self, code: str) -> str:
        """Why a verdict is so, or why a fix needs a decision."""
        return self._of(_REASONS, code)

    def strength(self, code: str) -> str:
        """What the programme's own words make of a requirement."""
        return self._of(_STRENGTHS, code)

    def standing(self, code: str) -> str:
        """In brackets, how we know of a requirement, where we have not read it in the programme's own text."""
        return f" [{self._of(_STANDINGS, code)}]" if code in _STANDINGS else ""

    def aside(self, text: str) -> str:
        """A remark in brackets, which are wide ones in Japanese."""
        return self.say("({remark})").format(remark=text)

    def requirement(self, row: dict[str, Any]) -> str:
        """How the domain stands against one requirement, on one line."""
        title = row.get("title", {}).get(self.language, row["requirement"])
        return f"{_MARKS[row['status']]} {row['programme']}: {title}{self.standing(row.get('evidence', ''))}"

    def public_suffix(self, document: dict[str, Any], domain: str) -> str | None:
        """That the audited domain, shown as ``domain``, belongs to many, where it does."""
        return self.say(_PUBLIC_SUFFIX).format(domain=domain) if document.get("public_suffix") else None

    def network(self, document: dict[str, Any]) -> str | None:
        """What to do where our own network, not the domain, is why nothing could be judged."""
        rows = document["unanswered"]
        if any(row["note"] == "cut-off" for row in rows):
            return self._of(_NETWORK, "cut-off")
        is_judged = any(document[part]["status"] != "unanswered" for part in ("spf", "dmarc", "dkim", "mx"))
        was_asked = any(row["status"] != "not-asked" for row in rows)
        return self._of(_NETWORK, "silent") if was_asked and not is_judged else None

    def nothing_found(self, document: dict[str, Any]) -> str:
        """That there is no finding, claiming no more than was answered."""
        if document["unanswered"]:
            return self.say("In what was answered, nothing to correct was found.")
        return self.say("Nothing to correct was found.")


def all_texts() -> list[str]:
    """Every English text of the tables, for the catalogue."""
    tables = (
        *(_SCOPES, _VERDICTS, _SEVERITIES, _CONFIDENCES, _STATES, _MX, _KEYS, _ANSWERS, _NOTES),
        *(_WITHOUT_ANSWER, _NETWORK, _READINESS, _REASONS, _STANDINGS, _STRENGTHS),
    )
    return sorted({ONE_AT_A_TIME, _PUBLIC_SUFFIX} | {text for table in tables for text in table.values()})
