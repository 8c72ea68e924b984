"""Options that several commands share, and the answers they get turned into."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mailguard.cli.speaking import lang_option as lang_option
from mailguard.cli.speaking import say

if TYPE_CHECKING:
    from mailguard.resolver import ResolverSettings
    from mailguard.settings import Settings
    from mailguard.trust.judge import Owned
    from mailguard.trust.reporter import Registry

F = TypeVar("F", bound=Callable[..., Any])

RUN_HOLD_S = 24 * 3600.0
"""Answers are kept for a whole run whatever their TTL, so that nothing is asked twice."""


class _Seconds(click.FloatRange):
    """A number in a range; "nan", which is neither below nor above anything, is none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if number != number:
            told = say("{value!r} is not a valid {number_type}.")
            self.fail(told.format(value=value, number_type=self.name), param, ctx)
        return number


def resolver_options(command: F) -> F:
    """``--nameserver`` and ``--timeout``."""
    nameserver = click.option(
        "--nameserver",
        "nameservers",
        multiple=True,
        metavar="HOST[:PORT]",
        help="Ask this server instead of the system's. May be repeated.",
    )
    timeout = click.option(
        "--timeout", type=_Seconds(0.1, 60), default=6.0, show_default=True, help="Seconds a question."
    )
    return nameserver(timeout(command))


def trust_options(command: F) -> F:
    """``--domain``, ``--trust-host`` and ``--no-trust``; ``chosen_trust`` understands them."""
    domain = click.option(
        "--domain",
        "domains",
        multiple=True,
        metavar="NAME",
        help="Reports may be about this domain only. May be repeated.",
    )
    host = click.option(
        "--trust-host",
        "trust_hosts",
        multiple=True,
        metavar="NAME",
        help="Believe what this mail server wrote on top of a mail (Authentication-Results). May be repeated.",
    )
    nobody = click.option("--no-trust", is_flag=True, help="Ask DNS nothing: who sent a mail is not checked.")
    return domain(host(nobody(command)))


@dataclass(frozen=True, slots=True)
class ChosenTrust:
    """Whom to believe. ``owned`` None: reports may be about any domain; ``resolver`` None: nobody is asked. ``known``
    are the reporters that somebody vouches for."""

    owned: Owned | None
    hosts: tuple[str, ...]
    resolver: ResolverSettings | None
    settings: Settings | None
    known: Registry


def chosen_trust(options: Mapping[str, Any]) -> ChosenTrust:
    """What ``trust_options``, ``resolver_options`` and ``--config`` say; options go before the settings file.

    Raises UsageError.
    """
    from mailguard.settings import Settings, load_settings
    from mailguard.targets import parse_target
    from mailguard.trust.judge import Owned
    from mailguard.trust.reporter import KNOWN_REPORTERS

    settings = load_settings(options["config"]) if options["config"] else None
    told = (settings or Settings("")).trust
    named = frozenset(parse_target(text).domain for text in options["domains"])
    owned = Owned(named) if named else Owned(frozenset(told.domains), frozenset(told.pending))
    nameservers = options["nameservers"] or told.nameservers
    return ChosenTrust(
        owned=owned if owned.domains or owned.pending else None,
        hosts=tuple(options["trust_hosts"] or told.authserv_ids),
        resolver=resolver_settings(nameservers, options["timeout"]) if told.check and not options["no_trust"] else None,
        settings=settings,
        known=KNOWN_REPORTERS.vouch_all(told.reporters),
    )


def resolver_settings(nameservers: Sequence[str], timeout: float) -> ResolverSettings:
    """Settings of a command-line run. Raises UsageError for what is no server."""
    from mailguard.resolver import ResolverSettings, parse_nameserver

    servers = tuple(parse_nameserver(text) for text in nameservers)
    return ResolverSettings(nameservers=servers, timeout_s=timeout, hold_s=RUN_HOLD_S)
