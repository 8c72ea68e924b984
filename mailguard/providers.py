"""Who carries a domain's mail: recognised from host names, never from guesses about the organisation.

Three layers are kept apart, because in Japan they are often three companies: the *mailbox* (where people read and
write), the *inbound* gateway (seen in MX) and the *outbound* gateway (seen in SPF). Beside them stand *senders*
(forms, newsletters, shops, the web server), *DNS* (where records are edited: often neither the registrar nor the mail
host) and the *owner* of a domain under which a provider gives addresses to everybody.

The facts are data: ``policies/providers.json`` and ``policies/shared-mail-domains.json``. A host pattern there matches
the name and everything below it; ``#`` stands for digits (or none), ``*`` for anything within one label. Of several
patterns that match one host the one with the longest literal end wins (``mwbgw#.ocn.ad.jp`` before ``ocn.ad.jp``).

What matches nothing is not reported: an unknown host is unknown, not "self-run".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, NamedTuple

from mailguard.errors import PolicyError
from mailguard.names import DomainName

_REMARK: Final = re.compile(r"（[^）]*）| *\([^)]*\)")


class Role(StrEnum):
    """What a provider mainly is."""

    HOSTING = "hosting"  # rental server: mailboxes, web and often DNS
    SAAS = "saas"  # mailboxes only
    ISP = "isp"  # internet provider with mail
    IAAS = "iaas"  # a machine that the customer runs
    GATEWAY = "gateway"  # filters or archives mail on its way in or out
    SENDER = "sender"  # forms, newsletters, shops, support desks
    DNS = "dns"  # name servers, perhaps with simple mail
    FREE = "free"  # free mail
    CARRIER = "carrier"  # mobile carrier mail


class Layer(StrEnum):
    """What a provider does for the domain in question."""

    MAILBOX = "mailbox"
    INBOUND = "inbound"
    OUTBOUND = "outbound"
    SENDER = "sender"
    DNS = "dns"
    OWNER = "owner"  # the domain is the provider's, not the customer's


class Text(NamedTuple):
    """The same words in both languages."""

    ja: str
    en: str

    def of(self, language: str) -> str:
        """The words in a language; English for any but Japanese."""
        return self.ja if language == "ja" else self.en


@dataclass(frozen=True, slots=True)
class Panel:
    """Where on the provider's screens a setting is made; screens are Japanese, so these are too.

    ``evidence``: V the provider's own page; S somebody else's, kept to be verified and told to nobody until then.
    """

    dkim: str
    dmarc: str
    dns: str
    evidence: str

    @property
    def is_verified(self) -> bool:
        """Whether the paths were read on the provider's own page, and may be told."""
        return self.evidence == "V"


@dataclass(frozen=True, slots=True, eq=False)
class Provider:
    """What is known about one provider.

    ``selectors`` are usual names only; where ``selector_note`` says that they cannot be guessed, a failed look-up means
    nothing at all. ``spf_record`` is the provider's own advice with ``<...>`` where the customer fills in.
    ``signs_as`` is the ``d=`` used until the customer sets up DKIM: such mail passes DKIM and does not align.
    ``default_dmarc`` is a DMARC record that the provider publishes for its customers unasked.
    ``evidence``: V the vendor's own page, S secondary, O observed, C community list, R recalled.
    """

    id: str
    name: Text
    role: Role
    evidence: str
    last_checked: str  # ISO date
    selectors: tuple[str, ...] = ()
    selector_note: Text | None = None
    spf_record: str = ""
    signs_as: str = ""
    default_dmarc: str = ""
    panel: Panel | None = None
    notes: tuple[Text, ...] = ()
    source: str = ""
    patterns: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)  # by place: mx spf ns ptr alias

    @property
    def both_names(self) -> str:
        """The Japanese name with the English one in brackets, fit for texts in either language.

        Without the remarks in brackets that either name may have, and without the one of which the other is a part.
        """
        ja, en = (_REMARK.sub("", text) for text in self.name)
        if ja in en or en in ja:
            return max(ja, en, key=len)
        return f"{ja} ({en})"

    def __repr__(self) -> str:
        return f"<Provider {self.id}>"


@dataclass(frozen=True, slots=True)
class Recognised:
    """A provider, what it does for the domain, and where that was seen: mx, spf, ns, alias or name."""

    provider: Provider
    layer: Layer
    seen_in: tuple[str, ...]


_PLACES: Final = ("mx", "spf", "ns", "ptr", "alias")
_SELECTOR_LAYERS: Final = (Layer.MAILBOX, Layer.OUTBOUND, Layer.SENDER)
_LAYERS_IN_ORDER: Final = tuple(Layer)
_SPF_TARGET = re.compile(r"[+~?]?(?:include:|redirect=|a:|mx:|exists:|ptr:)([^/\s]+)", re.IGNORECASE)
_Pattern = tuple[str, Provider]


class Providers:
    """Everything known about providers, indexed for look-up by host name. Immutable once built."""

    __slots__ = ("_by_place", "_owners", "all")

    def __init__(self, providers: Sequence[Provider] = (), owners: Mapping[str, Provider] | None = None) -> None:
        self.all: Final = tuple(providers)
        self._owners: Final = dict(owners or {})
        self._by_place: Final = {place: _index(place, self.all) for place in _PLACES}

    def recognise(
        self,
        domain: DomainName | None = None,
        *,
        mx_hosts: Iterable[str] = (),
        spf_terms: Iterable[str] = (),
        ns_hosts: Iterable[str] = (),
        aliases: Iterable[str] = (),
    ) -> tuple[Recognised, ...]:
        """Who is seen at work for a domain, mailbox first.

        Args:
            domain: the domain itself, for providers that own it.
            spf_terms: terms as published (``+a:sv1.xserver.jp``, ``include:...``); other terms do no harm.
            aliases: CNAME targets met at selectors or subdomains.
        """
        seen: dict[tuple[Layer, Provider], list[str]] = {}
        for provider in self._found("mx", mx_hosts):
            _note(seen, _layer_in_mx(provider), provider, "mx")
        has_mailbox = any(layer is Layer.MAILBOX for layer, _ in seen)
        for place, hosts in (("spf", spf_targets(spf_terms)), ("alias", aliases)):
            for provider in self._found(place, hosts):
                elsewhere = has_mailbox and (Layer.MAILBOX, provider) not in seen
                _note(seen, _layer_of_sender(provider, elsewhere), provider, place)
        for provider in self._found("ns", ns_hosts):
            _note(seen, Layer.DNS, provider, "ns")
        owner = self.owner_of(domain) if domain is not None else None
        if owner is not None:
            _note(seen, Layer.OWNER, owner, "name")
        found = (Recognised(provider, layer, tuple(places)) for (layer, provider), places in seen.items())
        return tuple(sorted(found, key=lambda one: _LAYERS_IN_ORDER.index(one.layer)))

    def owner_of(self, domain: DomainName) -> Provider | None:
        """The provider under whose own domain ``domain`` is, if it is one that gives addresses to everybody."""
        return next((self._owners[tail] for tail in _tails(domain) if tail in self._owners), None)

    def of_host(self, host: str) -> Provider | None:
        """Whose machine a PTR name is; for naming the sources that reports tell of."""
        return _look_up(self._by_place["ptr"], host) or _look_up(self._by_place["mx"], host)

    def of_signer(self, domain: str) -> Provider | None:
        """Whose domain a signature or a return path names, when a service authenticates as itself."""
        for provider in self.all:
            if provider.signs_as and f".{domain.lower()}".endswith(f".{provider.signs_as.removeprefix('*.')}"):
                return provider
        return next(filter(None, (_look_up(self._by_place[place], domain) for place in ("spf", "ptr", "mx"))), None)

    def _found(self, place: str, hosts: Iterable[str]) -> Iterator[Provider]:
        index = self._by_place[place]
        for host in hosts:
            provider = _look_up(index, host)
            if provider is not None:
                yield provider


def selectors_for(recognised: Iterable[Recognised]) -> tuple[str, ...]:
    """Selectors that are usual at the recognised providers, the mailbox provider's first, each once."""
    names = (
        selector
        for one in recognised
        if one.layer in _SELECTOR_LAYERS
        for selector in one.provider.selectors
    )  # fmt: skip
    return tuple(dict.fromkeys(names))


def belongs_to(provider: Provider, place: str, host: str) -> bool:
    """Whether a host is one of the provider's, at ``place``: mx, spf, ns, ptr or alias."""
    host = host.rstrip(".").lower()[:253]
    return any(_compiled(pattern).search(host) for pattern in provider.patterns.get(place, ()))


def spf_targets(terms: Iterable[str]) -> Iterator[str]:
    """Domain-specs of the terms that let others send. ``-include:`` and the like forbid, so they are left out."""
    for term in terms:
        match = _SPF_TARGET.match(term)
        if match:
            yield match[1]


def _layer_in_mx(provider: Provider) -> Layer:
    if provider.role is Role.GATEWAY:
        return Layer.INBOUND
    return Layer.SENDER if provider.role is Role.SENDER else Layer.MAILBOX


def _layer_of_sender(provider: Provider, elsewhere: bool) -> Layer:
    """``elsewhere``: MX shows the mailboxes at another provider, so this one (a web server, say) only sends."""
    if provider.role is Role.GATEWAY:
        return Layer.OUTBOUND
    return Layer.SENDER if provider.role is Role.SENDER or elsewhere else Layer.MAILBOX


def _note(seen: dict[tuple[Layer, Provider], list[str]], layer: Layer, provider: Provider, place: str) -> None:
    places = seen.setdefault((layer, provider), [])
    if place not in places:
        places.append(place)


def _tails(host: str) -> Iterator[str]:
    """``a.b.c``, ``b.c``, ``c``. Bounded by the 127 labels that a name can have."""
    tail = host.rstrip(".").lower()[:253]
    while tail:
        yield tail
        tail = tail.partition(".")[2]


def _index(place: str, providers: Iterable[Provider]) -> dict[str, list[_Pattern]]:
    """Patterns by their literal end; in a bucket the pattern with more labels stands first."""
    index: dict[str, list[_Pattern]] = {}
    for provider in providers:
        for pattern in provider.patterns.get(place, ()):
            index.setdefault(_literal_end(pattern), []).append((pattern, provider))
    for bucket in index.values():
        bucket.sort(key=lambda entry: -entry[0].count("."))
    return index


def _literal_end(pattern: str) -> str:
    return next(tail for tail in _tails(pattern) if "#" not in tail and "*" not in tail)


def _look_up(index: Mapping[str, list[_Pattern]], host: str) -> Provider | None:
    for tail in _tails(host):
        for pattern, provider in index.get(tail, ()):
            if tail == pattern or _compiled(pattern).search(host.rstrip(".").lower()):
                return provider
    return None


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    body = re.escape(pattern).replace(r"\#", "[0-9]*").replace(r"\*", "[^.]*")
    return re.compile(rf"(?:^|\.){body}$")


_HOST_PATTERN = re.compile(r"(?=.*\.)[a-z0-9_#*-]+(?:\.[a-z0-9_#*-]+)*\.[a-z][a-z0-9-]+")
_PROVIDER_KEYS: Final = frozenset(
    (
        *("id", "name", "role", "evidence", "last_checked", "source", "notes", "panel"),
        *("selectors", "selector_note", "spf_record", "signs_as", "default_dmarc"),
        *_PLACES,
    )
)
_OWNER_KEYS: Final = frozenset(("id", "name", "kind", "source", "domains"))


def parse_providers(providers_json: str, owners_json: str = "") -> Providers:
    """Read ``providers.json`` and, where given, ``shared-mail-domains.json``.

    Raises PolicyError with one sentence that names the file, the provider and the key.
    """
    data = _load(providers_json, "providers.json", "providers")
    checked = str(data.get("last_checked", ""))
    providers = [_provider(entry, checked) for entry in data["providers"]]
    twice = {one.id for one in providers if sum(other.id == one.id for other in providers) > 1}
    if twice:
        raise PolicyError(f"providers.json: {sorted(twice)[0]!r} stands there twice; keep one.")
    return Providers(providers, _owners(owners_json) if owners_json else {})


def _load(text: str, file: str, key: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PolicyError(f"{file}: is no JSON ({error}); correct it or restore the file.") from None
    if not isinstance(data, dict) or data.get("format") != 1 or not isinstance(data.get(key), list):
        raise PolicyError(f"{file}: needs 'format': 1 and a list {key!r}.")
    return data


def _owners(text: str) -> dict[str, Provider]:
    file = "shared-mail-domains.json"
    data = _load(text, file, "owners")
    owners = {}
    for entry in data["owners"]:
        _check_keys(entry, _OWNER_KEYS, file)
        provider = Provider(
            id=f"owner:{entry['id']}",
            name=_text(entry, "name", file),
            role=_role(entry, "kind", file),
            evidence="",
            last_checked=str(data.get("last_checked", "")),
            source=str(entry.get("source", "")),
        )
        owners.update(dict.fromkeys(_strings(entry, "domains", file), provider))
    return owners


def _provider(entry: Any, checked: str) -> Provider:
    file = "providers.json"
    _check_keys(entry, _PROVIDER_KEYS, file)
    evidence = entry.get("evidence")
    if evidence not in ("V", "S", "O", "C", "R"):
        raise PolicyError(f"{file}: {entry['id']!r} needs 'evidence', one of V, S, O, C and R.")
    return Provider(
        id=entry["id"],
        name=_text(entry, "name", file),
        role=_role(entry, "role", file),
        evidence=evidence,
        last_checked=str(entry.get("last_checked", checked)),
        selectors=_strings(entry, "selectors", file),
        selector_note=_text(entry, "selector_note", file) if "selector_note" in entry else None,
        spf_record=str(entry.get("spf_record", "")),
        signs_as=str(entry.get("signs_as", "")),
        default_dmarc=str(entry.get("default_dmarc", "")),
        panel=_panel(entry, file),
        notes=tuple(_text({"id": entry["id"], "notes": note}, "notes", file) for note in entry.get("notes", ())),
        source=str(entry.get("source", "")),
        patterns={place: _patterns(entry, place, file) for place in _PLACES if place in entry},
    )


def _check_keys(entry: Any, allowed: frozenset[str], file: str) -> None:
    if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
        raise PolicyError(f"{file}: every entry is an object with an 'id'.")
    unknown = sorted(set(entry) - allowed)
    if unknown:
        raise PolicyError(f"{file}: {entry['id']!r} has the unknown key {unknown[0]!r}; known are {sorted(allowed)}.")


def _text(entry: dict[str, Any], key: str, file: str) -> Text:
    value = entry.get(key)
    if not isinstance(value, dict) or set(value) != {"ja", "en"} or not all(isinstance(v, str) for v in value.values()):
        raise PolicyError(f"{file}: {entry['id']!r} needs {key!r} as an object with the texts 'ja' and 'en'.")
    return Text(value["ja"], value["en"])


def _role(entry: dict[str, Any], key: str, file: str) -> Role:
    try:
        return Role(entry.get(key, ""))
    except ValueError:
        raise PolicyError(f"{file}: {entry['id']!r} needs {key!r}, one of {', '.join(Role)}.") from None


def _strings(entry: dict[str, Any], key: str, file: str) -> tuple[str, ...]:
    value = entry.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) and item == item.lower() for item in value):
        raise PolicyError(f"{file}: {entry['id']!r} needs {key!r} as a list of lower-case texts.")
    return tuple(value)


def _patterns(entry: dict[str, Any], place: str, file: str) -> tuple[str, ...]:
    patterns = _strings(entry, place, file)
    for pattern in patterns:
        if not _HOST_PATTERN.fullmatch(pattern):
            raise PolicyError(f"{file}: {entry['id']!r} has {pattern!r} under {place!r}, which is no host pattern.")
    return patterns


def _panel(entry: dict[str, Any], file: str) -> Panel | None:
    value = entry.get("panel")
    if value is None:
        return None
    if not isinstance(value, dict) or not set(value) <= {"dkim", "dmarc", "dns", "evidence"}:
        raise PolicyError(f"{file}: {entry['id']!r} has a 'panel' with keys other than dkim, dmarc, dns and evidence.")
    if value.get("evidence") not in ("V", "S"):
        raise PolicyError(f"{file}: {entry['id']!r} tells of a screen without evidence V or S; leave the panel out.")
    return Panel(value.get("dkim", ""), value.get("dmarc", ""), value.get("dns", ""), value["evidence"])
