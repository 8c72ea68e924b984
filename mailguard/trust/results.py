"""Authentication-Results (RFC 8601): what a mail server that we trust wrote on top of a mail.

Anybody can write such a field. One counts only if it is the topmost of its kind and bears the name of a host that the
operator named; that host has to remove fields from outside that bear its name (RFC 8601 section 5).

::

    authres-payload = [CFWS] authserv-id [CFWS version] (no-result / 1*resinfo) [CFWS]
    resinfo         = [CFWS] ";" methodspec [CFWS reasonspec] [CFWS 1*propspec]
    methodspec      = method "=" result           method = Keyword ["/" version]
    propspec        = ptype "." property "=" pvalue
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final

from mailguard.names import DomainName
from mailguard.trust.head import MAX_FIELD_BYTES, Head, domain_in, without_comments
from mailguard.trust.proof import Attested

MAX_RESULTS: Final = 50
"""Results read from one field."""

# A value is a token or a quoted string; tokens as widely as real servers write them.
_TOKEN: Final = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([;=])|([^\s;="]+))')

# Which property tells the domain: the first that is there (RFC 8601 2.7.1 and 2.7.2, RFC 9989 9.1).
_PROPERTIES: Final = {
    "dmarc": ("header.from",),
    "dkim": ("header.d", "header.i"),
    "spf": ("smtp.mailfrom", "smtp.mail"),
}


def attested(head: Head, hosts: Collection[str]) -> tuple[Attested, ...]:
    """The passes that a trusted host wrote down; none unless the topmost field is its own and can be read.

    ``hosts`` are authserv-ids, compared without regard to case. Bounds: 16 KB, 50 results. Never raises.
    """
    fields = head.values(b"authentication-results")
    if not hosts or not fields or len(fields[0]) > MAX_FIELD_BYTES:
        return ()
    text = without_comments(fields[0].decode("utf-8", "replace"))
    parts = _parts(_tokens(text)) if text is not None else None
    if not parts or not parts[0] or len(parts) > MAX_RESULTS + 1:
        return ()
    host, *version = (part.removeprefix('"') for part in parts[0])
    # 2.2: authserv-id, then at most a version; only version 1 exists.
    if version not in ([], ["1"]) or host.lower() not in {trusted.lower() for trusted in hosts}:
        return ()
    found = (_pass_in(part, host.lower()) for part in parts[1:])
    return tuple(claim for claim in found if claim)


def _tokens(text: str) -> list[str]:
    """Tokens; quoted ones begin with a quotation mark, so that a quoted ``;`` is no separator. Empty if unreadable."""
    tokens: list[str] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at, end)
        if match is None:
            return []
        quoted, separator, plain = match.groups()
        tokens.append(separator or plain or '"' + re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL))
        at = match.end()
    return tokens


def _parts(tokens: list[str]) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for word in tokens:
        if word == ";":
            parts.append([])
        else:
            parts[-1].append(word)
    return parts


def _pass_in(part: list[str], host: str) -> Attested | None:
    pairs = _pairs(part)
    if not pairs:
        return None
    method, result = pairs[0]
    wanted = _PROPERTIES.get(method.partition("/")[0])
    if wanted is None or result.lower() != "pass":
        return None
    # A property twice says nothing: nobody knows which one the host meant.
    values = [[value for key, value in pairs[1:] if key == name] for name in wanted]
    texts = next((found for found in values if found), [])
    domain = domain_in(texts[0].rpartition("@")[2]) if len(texts) == 1 else DomainName("")
    return Attested(host, method.partition("/")[0], domain) if domain else None


def _pairs(part: list[str]) -> list[tuple[str, str]]:
    """``name = value`` after each other; empty if the part is anything else."""
    pairs = list(_read_pairs(part))
    return pairs if all(key for key, _ in pairs) else []


def _read_pairs(part: list[str]) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(part):
        triple = part[at : at + 3]
        if len(triple) < 3 or triple[1] != "=" or "=" in (triple[0], triple[2]) or triple[0].startswith('"'):
            yield "", ""
            return
        yield triple[0].lower(), triple[2].removeprefix('"')
        at += 3
        while at < len(part) and part[at] == "=":  # the padding of a base64 value, as in header.b=
            at += 1
