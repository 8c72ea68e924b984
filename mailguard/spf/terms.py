"""One term of an SPF record: a directive, a modifier, or something that no receiver can read.

::

    directive = [ "+" / "-" / "?" / "~" ] mechanism
    mechanism = "all" / "include:" domain-spec / "a" [ ":" domain-spec ] [ dual-cidr-length ]
              / "mx" [ ":" domain-spec ] [ dual-cidr-length ] / "ptr" [ ":" domain-spec ]
              / "ip4:" ip4-network [ "/" 0-32 ] / "ip6:" ip6-network [ "/" 0-128 ] / "exists:" domain-spec
    modifier  = "redirect=" domain-spec / "exp=" domain-spec / name "=" macro-string
    name      = ALPHA *( ALPHA / DIGIT / "-" / "_" / "." )
    dual-cidr-length = [ "/" 0-32 ] [ "//" 0-128 ]

Reading the modifier rule literally, ``redirect=-all`` would be an unknown modifier and so ignored; it is agreed (and
the public test suite demands) that redirect and exp with a bad value are syntax errors.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

from mailguard.spf.macro import MacroError, MacroFault, MacroString, parse_domain_spec, parse_macro_string


class Qualifier(StrEnum):
    """What a match means (RFC 7208 section 4.6.2)."""

    PASS = "+"  # noqa: S105
    FAIL = "-"
    SOFTFAIL = "~"
    NEUTRAL = "?"


class Kind(StrEnum):
    """The mechanisms (RFC 7208 section 5)."""

    ALL = "all"
    INCLUDE = "include"
    A = "a"
    MX = "mx"
    PTR = "ptr"
    IP4 = "ip4"
    IP6 = "ip6"
    EXISTS = "exists"


class Reason(StrEnum):
    """Why a term cannot be read. Where several apply, the one that helps a person most."""

    TAB = "tab"  # only U+0020 separates terms
    CONTROL = "control-character"
    OTHER_BLANK = "other-blank"  # no-break space, ideographic space, zero width, byte-order mark
    SMART_QUOTE = "smart-quote"
    DASH = "dash"  # a typographic dash, minus sign or wave where "-" or "~" belongs
    FULL_WIDTH = "full-width"
    U_LABEL = "u-label"  # letters of another script in a domain name: the A-label form belongs there
    NON_ASCII = "non-ascii"
    QUOTE = "quote"
    BACKSLASH = "backslash"
    MISSING_BLANK = "missing-blank"  # two terms grown together
    COLON_AFTER_MODIFIER = "colon-after-modifier"  # redirect: or exp:
    QUALIFIED_MODIFIER = "qualifier-before-modifier"  # -redirect=
    UNKNOWN_MECHANISM = "unknown-mechanism"
    UNEXPECTED_ARGUMENT = "unexpected-argument"  # all:x, ptr/24
    EMPTY_DOMAIN = "empty-domain"
    ADDRESS_FOR_NAME = "address-for-name"  # a:192.0.2.1
    BAD_DOMAIN = "bad-domain"
    BAD_MACRO = "bad-macro"
    EXPLANATION_ONLY = "explanation-only-macro"
    BAD_IP4 = "bad-ip4"
    BAD_IP6 = "bad-ip6"
    WRONG_FAMILY = "wrong-family"  # ip4: with an IPv6 address or the other way round
    BAD_PREFIX = "bad-prefix"
    STRAY_PUNCTUATION = "stray-punctuation"  # a comma or semicolon after an otherwise good term
    REPEATED_REDIRECT = "repeated-redirect"
    REPEATED_EXP = "repeated-exp"


@dataclass(frozen=True, slots=True)
class Directive:
    """A mechanism with its qualifier. The text and its position do not count in comparisons."""

    kind: Kind
    qualifier: Qualifier = Qualifier.PASS
    target: MacroString | None = None  # None: the domain itself
    network: IPv4Network | IPv6Network | None = None  # ip4 and ip6 only; host bits cleared
    address: IPv4Address | IPv6Address | None = None  # ip4 and ip6 only; host bits as published
    prefix4: int | None = None  # bits for IPv4; None: not given, which means 32
    prefix6: int | None = None  # bits for IPv6; None: not given, which means 128
    text: str = field(default="", compare=False)
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)

    @property
    def asks(self) -> bool:
        """Whether evaluating it counts as a look-up (RFC 7208 section 4.6.4)."""
        return self.kind not in (Kind.ALL, Kind.IP4, Kind.IP6)


@dataclass(frozen=True, slots=True)
class Modifier:
    """``name=value``; for redirect and exp the value is a domain-spec."""

    name: str  # lower case
    value: MacroString
    text: str = field(default="", compare=False)
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Broken:
    """A term that no receiver can read. ``fault_at`` is where in the record it goes wrong."""

    reason: Reason
    text: str
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)
    fault_at: int = field(default=0, compare=False)


Term = Directive | Modifier | Broken

_MODIFIER = re.compile(r"([A-Za-z][A-Za-z0-9_.-]*)=")
_QUALIFIED_MODIFIER = re.compile(r"[+?~-](?:redirect|exp)=", re.IGNORECASE)
_DIRECTIVE = re.compile(r"([+?~-]?)([A-Za-z0-9_.-]*)")
_DUAL_CIDR = re.compile(r"(?:(?<!/)/([0-9]+))?(?://([0-9]+))?$")
_CIDR = re.compile(r"/([0-9]+)$")
_NEXT_TERM = re.compile(r"[+?~-]?(?:include:|ip4:|ip6:|exists:|a:|mx:|ptr:|redirect=|exp=|all$|mx$)", re.IGNORECASE)
_KINDS: Final = {kind.value: kind for kind in Kind}
_FOREIGN = re.compile(r"[^!-~]")
_OTHER_BLANKS: Final = frozenset("\u00a0\u1680\u202f\u205f\u2060\u3000\ufeff") | {chr(c) for c in range(0x2000, 0x200E)}
_SMART_QUOTES: Final = frozenset("\u00ab\u00bb\u2018\u2019\u201a\u201c\u201d\u201e\u300c\u300d\uff02\uff07")
_DASHES: Final = frozenset("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u301c\u30fc\uff0d\uff5e\u02dc\u223c")
_MACRO_REASONS: Final = {
    MacroFault.BAD_MACRO: Reason.BAD_MACRO,
    MacroFault.EXPLANATION_ONLY: Reason.EXPLANATION_ONLY,
    MacroFault.FORBIDDEN_CHARACTER: Reason.NON_ASCII,
    MacroFault.EMPTY: Reason.EMPTY_DOMAIN,
    MacroFault.BAD_DOMAIN: Reason.BAD_DOMAIN,
}


def parse_term(text: str, start: int = 0) -> Term:
    """Read the term ``text`` that stands at ``start`` of its record. Never raises; takes time linear in its length."""
    found = _read(text, start)
    return _better_reason(found) if isinstance(found, Broken) else found


def _read(text: str, start: int) -> Term:
    foreign = _FOREIGN.search(text)
    if foreign:
        return Broken(_foreign_reason(foreign[0]), text, start, start + len(text), start + foreign.start())
    # Section 4.6.1: a modifier has "=" right after its name, before any ":" or "/".
    modifier = _MODIFIER.match(text)
    return _read_modifier(modifier[1].lower(), text, start) if modifier else _read_directive(text, start)


def _foreign_reason(character: str) -> Reason:
    if character == "\t":
        return Reason.TAB
    if character < " " or "\x7f" <= character < "\xa0":
        return Reason.CONTROL
    for members, reason in (
        (_OTHER_BLANKS, Reason.OTHER_BLANK),
        (_SMART_QUOTES, Reason.SMART_QUOTE),
        (_DASHES, Reason.DASH),
    ):
        if character in members:
            return reason
    if "\uff01" <= character <= "\uff5e" or character == "\u3002":
        return Reason.FULL_WIDTH
    return Reason.U_LABEL if character.isalpha() else Reason.NON_ASCII


def _broken(reason: Reason, text: str, start: int, offset: int = 0) -> Broken:
    return Broken(reason, text, start, start + len(text), start + offset)


def _read_modifier(name: str, text: str, start: int) -> Term:
    value = text[len(name) + 1 :]
    known = name in ("redirect", "exp")
    parsed = parse_domain_spec(value) if known else parse_macro_string(value)
    # Letters that only explanations may use do no harm where nobody expands them.
    if not known and isinstance(parsed, MacroError) and parsed.fault is MacroFault.EXPLANATION_ONLY:
        parsed = parse_macro_string(value, explanation=True)
    if isinstance(parsed, MacroError):
        return _broken(_MACRO_REASONS[parsed.fault], text, start, len(name) + 1 + parsed.offset)
    return Modifier(name, parsed, text, start, start + len(text))


def _read_directive(text: str, start: int) -> Term:
    match = _DIRECTIVE.match(text)
    assert match is not None  # the pattern matches the empty string
    sign, name, rest = match[1], match[2].lower(), text[match.end() :]
    kind = _KINDS.get(name)
    if kind is None:
        return _broken(_why_unknown(name, text), text, start, len(sign))
    qualifier = Qualifier(sign) if sign else Qualifier.PASS
    offset = match.end()
    if kind is Kind.ALL:
        if rest:
            return _broken(Reason.UNEXPECTED_ARGUMENT, text, start, offset)
        return Directive(kind, qualifier, text=text, start=start, end=start + len(text))
    if kind in (Kind.IP4, Kind.IP6):
        return _read_network(kind, qualifier, rest, text, start, offset)
    return _read_named(kind, qualifier, rest, text, start, offset)


def _why_unknown(name: str, text: str) -> Reason:
    if _QUALIFIED_MODIFIER.match(text):
        return Reason.QUALIFIED_MODIFIER
    return Reason.COLON_AFTER_MODIFIER if name in ("redirect", "exp") else Reason.UNKNOWN_MECHANISM


def _prefix(digits: str | None, limit: int) -> int | None:
    """A prefix length; None if absent. ValueError for one with a leading zero or over the limit (section 5.6)."""
    if digits is None:
        return None
    if len(digits) > 3 or int(digits) > limit or (digits[0] == "0" and digits != "0"):
        raise ValueError(digits)
    return int(digits)


def _read_network(kind: Kind, qualifier: Qualifier, rest: str, text: str, start: int, offset: int) -> Term:
    bad, other, bits = (Reason.BAD_IP4, 6, 32) if kind is Kind.IP4 else (Reason.BAD_IP6, 4, 128)
    cidr = _CIDR.search(rest)
    body = rest[1 : cidr.start()] if cidr else rest[1:]
    # Section 5.6: the dotted quad has no leading zeros (ipaddress refuses them); a zone id ("%eth0") is no part of it.
    try:
        address = ip_address(body) if rest.startswith(":") and "%" not in body else None
    except ValueError:
        address = None
    if address is None:
        return _broken(bad, text, start, offset + rest.startswith(":"))
    if address.version == other:
        return _broken(Reason.WRONG_FAMILY, text, start, offset + 1)
    try:
        prefix = _prefix(cidr[1] if cidr else None, bits)
    except ValueError:
        return _broken(Reason.BAD_PREFIX, text, start, offset + 1 + len(body))
    network: IPv4Network | IPv6Network
    if isinstance(address, IPv4Address):
        network = IPv4Network((address, bits if prefix is None else prefix), strict=False)
        return Directive(kind, qualifier, None, network, address, prefix, None, text, start, start + len(text))
    network = IPv6Network((address, bits if prefix is None else prefix), strict=False)
    return Directive(kind, qualifier, None, network, address, None, prefix, text, start, start + len(text))


def _read_named(kind: Kind, qualifier: Qualifier, rest: str, text: str, start: int, offset: int) -> Term:
    prefix4 = prefix6 = None
    spec = rest
    if kind in (Kind.A, Kind.MX):
        cidr = _DUAL_CIDR.search(rest)
        assert cidr is not None  # matches the empty end
        spec = rest[: cidr.start()]
        try:
            prefix4, prefix6 = _prefix(cidr[1], 32), _prefix(cidr[2], 128)
        except ValueError:
            return _broken(Reason.BAD_PREFIX, text, start, offset + cidr.start())
    if not spec and kind not in (Kind.INCLUDE, Kind.EXISTS):
        return Directive(kind, qualifier, None, None, None, prefix4, prefix6, text, start, start + len(text))
    if not spec:
        return _broken(Reason.EMPTY_DOMAIN, text, start, offset)
    if not spec.startswith(":"):
        reason = Reason.BAD_PREFIX if spec.startswith("/") else Reason.UNEXPECTED_ARGUMENT
        return _broken(reason, text, start, offset)
    parsed = parse_domain_spec(spec[1:])
    if isinstance(parsed, MacroError):
        reason = Reason.ADDRESS_FOR_NAME if _is_address(spec[1:]) else _MACRO_REASONS[parsed.fault]
        return _broken(reason, text, start, offset + 1 + parsed.offset)
    return Directive(kind, qualifier, parsed, None, None, prefix4, prefix6, text, start, start + len(text))


def _is_address(text: str) -> bool:
    try:
        ip_address(text.partition("/")[0])
    except ValueError:
        return False
    return True


def _better_reason(broken: Broken) -> Broken:
    """Name the slip behind a fault, where one explains it."""
    text = broken.text
    if broken.reason in (
        Reason.UNKNOWN_MECHANISM,
        Reason.BAD_DOMAIN,
        Reason.BAD_IP4,
        Reason.BAD_IP6,
        Reason.BAD_PREFIX,
    ) or (broken.reason is Reason.UNEXPECTED_ARGUMENT):
        for mark, reason in (('"', Reason.QUOTE), ("\\", Reason.BACKSLASH)):
            if mark in text:
                return _broken(reason, text, broken.start, text.index(mark))
        bare = text.rstrip(",;")
        if bare != text and not isinstance(_read(bare, 0), Broken):
            return _broken(Reason.STRAY_PUNCTUATION, text, broken.start, len(bare))
        seam = find_seam(text)
        if seam:
            return _broken(Reason.MISSING_BLANK, text, broken.start, seam)
    return broken


def find_seam(text: str, _depth: int = 8) -> int:
    """Where a blank is missing inside ``text``: a good term, and behind it one more, or several grown together.

    0 where there is no such place. Looks at the first four candidates, and at eight terms in a row at most.
    """
    for candidate, _ in zip(_NEXT_TERM.finditer(text, 1), range(4), strict=False):
        at = candidate.start()
        if isinstance(_read(text[:at], 0), Broken):
            continue
        if not isinstance(_read(text[at:], 0), Broken) or (_depth and find_seam(text[at:], _depth - 1)):
            return at
    return 0


def format_term(term: Term) -> str:
    """A term as text, in our canonical form: lower-case names, no ``+``. A broken term stays as it was published."""
    if isinstance(term, Broken):
        return term.text
    if isinstance(term, Modifier):
        return f"{term.name}={term.value.text}"
    sign = "" if term.qualifier is Qualifier.PASS else term.qualifier
    body = f":{term.address}" if term.address is not None else f":{term.target.text}" if term.target else ""
    slash6 = "/" if term.kind is Kind.IP6 else "//"
    prefix4 = "" if term.prefix4 is None else f"/{term.prefix4}"
    prefix6 = "" if term.prefix6 is None else f"{slash6}{term.prefix6}"
    return f"{sign}{term.kind}{body}{prefix4}{prefix6}"
