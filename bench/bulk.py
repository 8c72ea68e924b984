"""Many domains: checkdmarc sequentially and with 32 threads, and mailguard, on the same clinics in the same run."""

from __future__ import annotations

from bench.dns_server import dns_server
from bench.ours import measure_ours
from bench.peers import measure_peer
from bench.report import Rate, Target, rates_json, rates_table, save, say, targets_table
from bench.zones import Clinics

PEER_DOMAINS = 100
OUR_DOMAINS = 1000
DELAY_MS = 20.0
THREADS = 32
BASELINE = "checkdmarc public, sequential"


def measure() -> tuple[list[Rate], list[Target]]:
    """All runs, about three minutes, nearly all of it the peer's."""
    domains = Clinics(OUR_DOMAINS).domains
    few = domains[:PEER_DOMAINS]
    with dns_server(OUR_DOMAINS, DELAY_MS) as port:
        measure_ours(port, few[:10], full=True)  # imports and patterns; the peer's are paid before its clock starts too
        ours = {
            (full, len(some)): _told(measure_ours(port, some, full=full))
            for full in (False, True)
            for some in (few, domains)
        }
        threads = _told(measure_peer(port, few, lean=False, threads=THREADS))
        lean_threads = _told(measure_peer(port, few, lean=True, threads=THREADS))
        sequential = _told(measure_peer(port, few, lean=False))
        lean_sequential = _told(measure_peer(port, few, lean=True))
    slowest = min(ours[False, len(few)].per_s, ours[False, len(domains)].per_s)
    slowest_full = min(ours[True, len(few)].per_s, ours[True, len(domains)].per_s)
    targets = [
        Target("like for like : checkdmarc, sequential", slowest / sequential.per_s, 100, unit="×"),
        Target("like for like : checkdmarc, 32 threads", slowest / threads.per_s, 5, unit="×"),
        Target("full audit : checkdmarc, sequential", slowest_full / sequential.per_s, 60, unit="×"),
        Target("like for like : checkdmarc lean, sequential", slowest / lean_sequential.per_s, 100, unit="×"),
        Target("like for like : checkdmarc lean, 32 threads", slowest / lean_threads.per_s, 5, unit="×"),
    ]
    return [sequential, threads, lean_sequential, lean_threads, *ours.values()], targets


def _told(rate: Rate) -> Rate:
    say(f"  {rate.label}, {rate.domains:,} domains: {rate.per_s:.1f}/s, {rate.cpu_ms:.1f} ms CPU a domain")
    return rate


def run() -> list[Target]:
    """Measure, save and print; returns the promises."""
    say(f"many domains, {DELAY_MS:g} ms an answer")
    rates, targets = measure()
    save("bulk", {"delay_ms": DELAY_MS, "runs": rates_json(rates), "targets": [target.json for target in targets]})
    print(rates_table(rates, BASELINE), end="\n\n")
    return targets


if __name__ == "__main__":
    print(targets_table(run()))
