"""Where the time of an audit goes: ``python -m bench.profile [--full] [--domains N] [--sort tottime|cumulative]``.

Answers come from memory, so nothing but our own work is seen.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats

from bench.ours import like_for_like, load_plan
from bench.zones import Clinics
from mailguard.inquiry import run
from mailguard.survey import take_survey


def main() -> None:
    """Profile the surveys of some domains and print the forty dearest functions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--domains", type=int, default=300)
    parser.add_argument("--full", action="store_true", help="the survey of a full audit instead of like for like")
    parser.add_argument("--sort", default="tottime")
    options = parser.parse_args()
    clinics = Clinics(options.domains)
    knowledge = load_plan().knowledge
    profiler = cProfile.Profile()
    for domain in clinics.domains:
        if options.full:
            profiler.runcall(run, take_survey(domain, probe_label="mailguard-probe", knowledge=knowledge), clinics)
        else:
            profiler.runcall(run, like_for_like(domain), clinics)
    pstats.Stats(profiler).sort_stats(options.sort).print_stats(40)


if __name__ == "__main__":
    main()
