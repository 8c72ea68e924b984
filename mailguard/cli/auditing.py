"""Audits as a command wants them: the plan that options make, domains asked of the network, evidence judged again."""

from __future__ import annotations

import asyncio
import re
import sys
import traceback
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import click

from mailguard.audit import Audit, Plan, audit_domain, replay_audit
from mailguard.bulk import Failed, stream
from mailguard.cli.speaking import say
from mailguard.dkim.selectors import selector_of
from mailguard.dossier import Expectation, MailingLists
from mailguard.errors import EvidenceError, Sentence, UsageError
from mailguard.evidence import Evidence
from mailguard.evidence.files import load_evidence
from mailguard.names import DomainName
from mailguard.policy.files import combine
from mailguard.policy.shelf import DEFAULT, load_policy, load_providers
from mailguard.resolver import Resolver, ResolverSettings

Results = AsyncIterator[Audit | Failed[DomainName]]


def make_plan(options: Mapping[str, Any], reported: Mapping[DomainName, tuple[str, ...]] | None = None) -> Plan:
    """The plan of a run; ``reported`` are selectors that aggregate reports tell of. Raises UsageError."""
    policy = combine([load_policy(name) for name in options["policies"] or (DEFAULT,)])
    lists = options["mailing_lists"]
    said = Expectation(
        MailingLists(lists) if lists else MailingLists.UNSET, sends=options["sends"], receives=options["receives"]
    )
    return Plan(
        policy=policy,
        knowledge=load_providers(),
        selectors=tuple(dict.fromkeys(_selector(text) for text in options["selectors"])),
        reported=reported or {},
        said=said,
        second_opinion=options["second_opinion"],
        told={key: options[key] for key in _TOLD if options[key] not in (None, ())},
    )


_SELECTOR = re.compile(r"(?=.{1,200}\Z)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_][a-z0-9_-]{0,62})*")


def _selector(text: str) -> str:
    selector = selector_of(text)
    # RFC 6376 section 3.1: labels; the underscore is not among their characters, but is in use.
    if not _SELECTOR.fullmatch(selector):
        raise UsageError("{text!r} is no DKIM selector; it is what s= says in a DKIM-Signature.", text=text)
    return selector


_TOLD: Final[Mapping[str, Callable[[object], bool]]] = {
    "policies": lambda value: isinstance(value, tuple),
    "mailing_lists": lambda value: value in ("yes", "no"),
    "sends": lambda value: isinstance(value, bool),
    "receives": lambda value: isinstance(value, bool),
}
"""Options that change what is found in the same answers, kept with the evidence, and the values they can have."""


async def asked(domains: Sequence[DomainName], plan: Plan, settings: ResolverSettings, jobs: int) -> Results:
    """Audits over the network, ``jobs`` at a time, as they are done."""
    async with Resolver(settings) as resolver:

        async def work(domain: DomainName) -> Audit:
            return await audit_domain(domain, plan, resolver)

        async for result in stream(domains, work, min(jobs, max(1, len(domains)))):
            yield result


async def replayed(
    file: Path,
    domains: Sequence[DomainName],
    plan: Plan,
    options: Mapping[str, Any],
    *,
    done: frozenset[str] = frozenset(),
) -> Results:
    """Audits of the evidence in a file: of the domains that were named, or of all, but not of those that are done."""
    plans: dict[str, Plan] = {}
    for evidence in _chosen(file, domains, done):
        told = _told(evidence)
        if repr(told) not in plans:
            # What this run is told goes before what that run was told.
            plans[repr(told)] = make_plan({**options, **told, **plan.told}, plan.reported) if told else plan
        try:
            yield replay_audit(evidence, plans[repr(told)])
        except Exception as error:
            yield Failed(evidence.domain, error)
        await asyncio.sleep(0)  # so that Ctrl-C is heard


def _told(evidence: Evidence) -> dict[str, Any]:
    """What the run that made the evidence was told. Raises EvidenceError for a value that it cannot have been told."""
    told = {key: value for key, value in evidence.options.items() if key in _TOLD}
    for key, value in told.items():
        if not _TOLD[key](value):
            reason = Sentence('the option "{key}" has a value that no option has', key=key)
            raise EvidenceError(
                "The evidence about {domain} is damaged: {reason}.", domain=evidence.domain, reason=reason
            )
    return told


def _chosen(file: Path, domains: Sequence[DomainName], done: frozenset[str]) -> Iterator[Evidence]:
    missing = dict.fromkeys(domains)
    for evidence in load_evidence(file):
        if (not domains or evidence.domain in domains) and evidence.domain not in done:
            missing.pop(evidence.domain, None)
            yield evidence
    lost = [domain for domain in missing if domain not in done]
    if lost:
        raise UsageError("{file} has no evidence about {domain}.", file=file, domain=", ".join(lost))


def tell_failure(failed: Failed[DomainName]) -> None:
    """Say that our own code failed on one domain."""
    message = say("{domain}: mailguard itself failed ({error}); the other domains go on. Please report this.")
    click.echo(f"mailguard: {message.format(domain=failed.item, error=repr(failed.error))}", err=True)
    if sys.flags.dev_mode:
        traceback.print_exception(failed.error)
