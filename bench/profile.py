"""Where the time of an audit goes: ``python -m bench.profile [--full] [--domains N] [--sort tottime|cumulative]``.

Answers come from memory, so only our own work is seen; ``--full`` replays whole audits, rules and fixes included.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
from datetime import UTC, datetime

from bench.ours import like_for_like, load_plan
from bench.zones import Clinics
from mailguard.audit import replay_audit
from mailguard.evidence import Evidence
from mailguard.inquiry import Answer, Question, run
from mailguard.names import DomainName
from mailguard.survey import take_survey

PROBE_LABEL = "mailguard-probe"


def evidence_of(domain: DomainName, clinics: Clinics) -> Evidence:
    """What an audit of ``domain`` would have seen."""
    answers: dict[Question, Answer] = {}

    def source(question: Question) -> Answer:
        return answers.setdefault(question, clinics(question))

    run(take_survey(domain, probe_label=PROBE_LABEL, knowledge=load_plan().knowledge), source)
    return Evidence(domain, datetime.now(UTC), PROBE_LABEL, (), {}, tuple(answers.values()))


def main() -> None:
    """Profile the work on some domains and print the forty dearest functions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--domains", type=int, default=300)
    parser.add_argument("--full", action="store_true", help="whole audits instead of like for like")
    parser.add_argument("--sort", default="tottime")
    options = parser.parse_args()
    clinics = Clinics(options.domains)
    plan = load_plan()
    profiler = cProfile.Profile()
    for domain in clinics.domains:
        if options.full:
            profiler.runcall(replay_audit, evidence_of(domain, clinics), plan)
        else:
            profiler.runcall(run, like_for_like(domain), clinics)
    pstats.Stats(profiler).sort_stats(options.sort).print_stats(40)


if __name__ == "__main__":
    main()
