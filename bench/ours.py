"""mailguard on the clinics of the benchmark."""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import resource
from collections.abc import Awaitable, Callable, Sequence
from functools import cache
from typing import Final

from bench.report import Rate, Stopwatch
from mailguard.audit import Plan, audit_domain
from mailguard.bulk import Failed, stream
from mailguard.dmarc.survey import DmarcStatus, DmarcSurvey, survey_dmarc
from mailguard.inquiry import Answer, Inquiry, Question, RRType, ask, ask_all, both
from mailguard.names import DomainName
from mailguard.policy.shelf import load_policy, load_providers
from mailguard.resolver import NameServer, Resolver, ResolverSettings, Session, drive
from mailguard.spf.survey import SpfStatus, SpfSurvey, survey_spf

JOBS: Final = 32
"""Domains at the same time: what the command line does unless told otherwise."""

Work = Callable[[DomainName, Resolver], Awaitable[bool]]


def like_for_like(domain: DomainName) -> Inquiry[tuple[tuple[SpfSurvey, DmarcSurvey], tuple[Answer, ...]]]:
    """SPF, DMARC and the MX hosts with their addresses: what checkdmarc's three checks are about."""
    return both(both(survey_spf(domain), survey_dmarc(domain)), mail_hosts(domain))


def mail_hosts(domain: DomainName) -> Inquiry[tuple[Answer, ...]]:
    """The MX records, then the addresses of their hosts."""
    mx = yield from ask(Question(domain, RRType.MX))
    types = (RRType.A, RRType.AAAA)
    hosts = yield from ask_all([Question(host.exchange, rrtype) for host in mx.exchanges for rrtype in types])
    return (mx, *hosts)


async def survey_work(domain: DomainName, resolver: Resolver) -> bool:
    """Like for like; says whether everything came out as the clinics publish it."""
    with Session(resolver) as session:
        (spf, dmarc), (mx, *_) = await drive(like_for_like(domain), session)
    return spf.status is SpfStatus.VALID and dmarc.status is DmarcStatus.VALID and mx.present


@cache
def load_plan() -> Plan:
    """What the command line audits with when it is told nothing."""
    return Plan(policy=load_policy("hospital"), knowledge=load_providers())


def audit_work() -> Work:
    """The full audit: DKIM, zone, rules, fixes and the verdicts."""
    plan = load_plan()

    async def work(domain: DomainName, resolver: Resolver) -> bool:
        audit = await audit_domain(domain, plan, resolver)
        survey = audit.dossier.survey
        return survey.spf.status is SpfStatus.VALID and survey.dmarc.status is DmarcStatus.VALID

    return work


def measure_ours(port: int, domains: Sequence[DomainName], *, full: bool, jobs: int = JOBS) -> Rate:
    """Audit ``domains``; raises RuntimeError for a run that went wrong."""
    label = "mailguard " + ("full audit" if full else "like for like")
    work = audit_work() if full else survey_work
    gc.collect()
    with Stopwatch() as watch:
        bad, questions = asyncio.run(_run(port, domains, work, jobs))
    if bad:
        raise RuntimeError(f"{label}: {len(bad)} of {len(domains)} domains went wrong, the first with {bad[0]!r}")
    return Rate(label, len(domains), watch.wall_s, watch.cpu_s, questions)


async def _run(port: int, domains: Sequence[DomainName], work: Work, jobs: int) -> tuple[list[object], int]:
    settings = ResolverSettings(nameservers=(NameServer("127.0.0.1", port),), hold_s=3600.0)
    bad: list[object] = []
    async with Resolver(settings) as resolver:
        async for outcome in stream(domains, lambda domain: work(domain, resolver), jobs):
            if isinstance(outcome, Failed) or not outcome:
                bad.append(outcome)
        return bad, resolver.statistics.asked


def main() -> None:
    """One run in a process of its own, for its memory: prints the rate and the peak in MB as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--domains", type=int, required=True)
    parser.add_argument("--full", action="store_true")
    options = parser.parse_args()
    domains = [DomainName(f"clinic{number:05d}.example.jp") for number in range(options.domains)]
    rate = measure_ours(options.port, domains, full=options.full)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"domains": rate.domains, "per_s": rate.per_s, "cpu_ms": rate.cpu_ms, "peak_mb": peak_mb}))


if __name__ == "__main__":
    main()
