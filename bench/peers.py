"""checkdmarc on the clinics of the benchmark, asked for the same three things as we are: SPF, DMARC and MX.

Two ways, because "the same" can be read in two ways:

* ``public``: its public checks ``check_spf``, ``check_dmarc`` and ``check_mx``, as its users call them. Its DNSSEC and
  TLSA questions, which we do not ask here, are taken away from it at no cost;
* ``lean``: the MX record set without a look at the hosts, which is fewer questions than we ask ourselves.

Its caches begin empty and then serve all domains of the run, as they do for its users.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench.report import Rate, Stopwatch


def measure_peer(port: int, domains: Sequence[str], *, lean: bool, threads: int = 1) -> Rate:
    """Check ``domains`` one after the other, or by so many threads; raises RuntimeError for a run that went wrong."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from checkdmarc import dmarc, smtp, spf, utils
    from dns.nameserver import Do53Nameserver

    smtp.check_dnssec = lambda *_, **__: False
    smtp.get_tlsa_records = lambda *_, **__: []
    arguments: dict[str, Any] = {"nameservers": [Do53Nameserver("127.0.0.1", port)], "timeout": 5.0}
    mail_hosts = utils.get_mx_record_set if lean else smtp.check_mx

    def check(domain: str) -> bool:
        outcome = spf.check_spf(domain, **arguments), dmarc.check_dmarc(domain, **arguments)
        return bool(mail_hosts(domain, **arguments)["hosts"]) and all(part["valid"] for part in outcome)

    utils.DNS_CACHE.clear()
    label = f"checkdmarc {'lean' if lean else 'public'}, " + (f"{threads} threads" if threads > 1 else "sequential")
    with Stopwatch() as watch, ThreadPoolExecutor(threads) as pool:
        valid = list(pool.map(check, domains)) if threads > 1 else [check(domain) for domain in domains]
    if not all(valid):
        raise RuntimeError(f"{label}: {valid.count(False)} of {len(valid)} domains did not come out valid")
    return Rate(label, len(domains), watch.wall_s, watch.cpu_s)
