"""Zones of all sorts for the differential test: correct, careless, broken, unanswered; the same for the same seed."""

from __future__ import annotations

import random
from itertools import chain

CLINIC = "clinic.example.jp"

NEIGHBOURS = """
    good0.example.net  TXT "v=spf1 ip4:192.0.2.0/24 -all"
    good1.example.net  TXT "v=spf1 ip4:198.51.100.0/24 ip6:2001:db8::/32 ~all"
    good2.example.net  TXT "v=spf1 a:host.example.net mx:good2.example.net ?all"
    good2.example.net  MX  10 host.example.net
    good3.example.net  CNAME good0.example.net
    nested.example.net TXT "v=spf1 include:good0.example.net include:good1.example.net ~all"
    heavy.example.net  TXT "v=spf1 include:nested.example.net include:good2.example.net a:host.example.net ~all"
    heavier.example.net TXT "v=spf1 include:heavy.example.net include:nested.example.net include:good2.example.net -all"
    huge.example.net   TXT "v=spf1 include:heavier.example.net include:heavy.example.net -all"
    host.example.net   A   192.0.2.7
    host.example.net   AAAA 2001:db8::7
    v6.example.net     AAAA 2001:db8::8
    none.example.net   TXT "hello"
    empty.example.net  MX  10 host.example.net
    two.example.net    TXT "v=spf1 -all"
    two.example.net    TXT "v=spf1 ~all"
    broken.example.net TXT "v=spf1 ipv4:192.0.2.1 -all"
    loop.example.net   TXT "v=spf1 include:pool.example.net -all"
    pool.example.net   TXT "v=spf1 include:loop.example.net -all"
    every.example.net  TXT "v=spf1 +all"
    hosts.example.net  MX  10 host.example.net
    hosts.example.net  MX  20 gone.example.net
    null.example.net   MX  0 .
    void.example.net   TXT "v=spf1 a:gone.example.net mx:gone.example.net -all"
    slow.example.net   *   !timeout
    sick.example.net   *   !servfail
    rua.example.net    MX  10 host.example.net
    clinic.example.jp._report._dmarc.rua.example.net    TXT "v=DMARC1"
    *._report._dmarc.wild.example.net                   TXT "v=DMARC1;"
    clinic.example.jp._report._dmarc.stray.example.net  TXT "v=DMARC1"
    *._report._dmarc.stray.example.net                  TXT "something else"
    *._report._dmarc.slow.example.net                   TXT !timeout
"""

INCLUDED = (
    *(f"good{number}" for number in range(4)),
    *("nested", "nested", "heavy", "heavier", "huge", "none", "gone", "two", "broken", "loop", "every", "slow", "sick"),
    *("void", "empty"),
)

TERMS = (
    *("ip4:192.0.2.1", "ip4:192.0.2.0/24", "ip6:2001:db8::1", "ip6:2001:db8::/32", "a", "mx", "a/24", "mx/24//64"),
    *("a:host.example.net", "a:v6.example.net", "a:gone.example.net", "a:slow.example.net", "a:none.example.net"),
    *(
        "mx:hosts.example.net",
        "mx:gone.example.net",
        "mx:null.example.net",
        "mx:sick.example.net",
        "mx:many.example.net",
    ),
    *("exists:%{i}._spf.example.net", "exists:gone.example.net", "exists:host.example.net", "exists:slow.example.net"),
    *("ptr", "ptr:example.net", "include:%{d}._spf.example.net", "include:%{ir}.x.example.net", "a:%{p}.example.net"),
    *(
        "exp=why.example.net",
        "exp=%{d}.example.net",
        "x-note=1",
        "ra=postmaster",
        "foo=%{x}",
        "include=good0.example.net",
    ),
    *("mx:%{i}.example.net", "mx:%{d}", "a:%{d}", "mx:" + "x" * 64 + ".example.net", "exists:%{d}.x.example.net"),
    *("IP4:192.0.2.9", "Include:good0.example.net", "MX", "+mx", "?a", "a:host.example.net."),
)

FAULTY_TERMS = (
    *("ip:192.0.2.1", "ipv4:192.0.2.1", "ip4:192.0.2.256", "ip4:192.0.2.1/33", "ip4:192.0.2.01", "ip4:192.0.2.1/024"),
    *("ip6:2001:db8::g", "ip6:192.0.2.1", "ip4:", "include:", "a:", "mx:", "exists:", "redirect=", "exp="),
    *("include:localhost", "a:host", "mx:192.0.2.1", "include:example.123", "a:-x.example.net", "a:%{x}.example.net"),
    *("include:good0.example.net/24", "ptr/24", "all:x", "+exp=a.example.net", "redirect:good0.example.net", "-"),
    *("a:%.example.net", "a//129", "a/33", "mx/08", "exists:a..example.net", "%{d}", "include :x", "a:a_b.example.net"),
    *("include:" + "x" * 64 + ".example.net", "a:ho\\195\\169st.example.net", "ip4:192.0.2.1\\009ip4:192.0.2.2"),
    *("include:spf-all", "foo=-all", "x_y.z-1=abc", "1x=a", "redirect=good0.example.net", "redirect=none.example.net"),
    *("redirect=slow.example.net", "redirect=%{d}.example.net", "ip4:192.0.2.1-all", "all all", "\\226\\128\\147all"),
    *("mx\\227\\128\\128a", "mx\\194\\160a", "mx\\010a", "mx\\011a", "mx\\226\\128\\139"),
)

ENDINGS = (
    *("-all", "-all", "~all", "~all", "?all", "+all", "all", "", "-ALL", "~all ", "- all", "-all exp=why.example.net"),
    *("-all include:good0.example.net", "-all ip:1", "-all foo", "~all redirect=good0.example.net", "-all -all", "-al"),
    *(
        "redirect=good0.example.net",
        "redirect=gone.example.net",
        "redirect=two.example.net",
        "redirect=clinic.example.jp",
    ),
    "-all mx:gone.example.net",
)

VERSIONS = (
    *(["v=spf1 "] * 40),
    *("v=spf1  ", "V=SPF1 ", "v=spf1", " v=spf1 ", "v=spf10 ", "v=spf1\\009", "spf2.0/pra ", '\\"v=spf1 ', "v=spf1; "),
)

ADDRESSES = (
    *(["mailto:a@rua.example.net", "mailto:a@wild.example.net"] * 8),
    *(
        "mailto:a@clinic.example.jp",
        "mailto:a@rua.example.net",
        "mailto:a@wild.example.net",
        "mailto:a@stray.example.net",
    ),
    *(
        "mailto:a@gone.example.net",
        "mailto:a@slow.example.net",
        "mailto:a@rua.example.net!10m",
        "https://example.net/r",
    ),
    *(
        "mailto:a@example.jp",
        "a@rua.example.net",
        "mailto:",
        "mailto:a",
        "mailto:a@b@c",
        "mailto:a@rua.example.net,",
        ",",
    ),
    *("mailto:a@rua.example.net,mailto:b@wild.example.net", "MAILTO:a@rua.example.net", "mailto:a@rua.example.net?x=y"),
)

TAGS = (
    *(
        "sp=none",
        "sp=reject",
        "sp=quarantine",
        "np=reject",
        "np=none",
        "adkim=s",
        "aspf=s",
        "aspf=r",
        "fo=1",
        "fo=0:d:s",
    ),
    *("pct=100", "pct=20", "ri=86400", "rf=afrf", "t=y", "t=n", "psd=n", "psd=u", "psd=y", "x=y", "T=y", "SP=reject"),
    *("ruf=mailto:a@rua.example.net", "ruf=mailto:a@gone.example.net", "ruf=x"),
)

FAULTY_TAGS = (
    *(
        "sp=",
        "sp=bad",
        "np=monitor",
        "adkim=x",
        "aspf=strict",
        "fo=2",
        "fo=0:1",
        "fo=1:1",
        "fo=",
        "t=yes",
        "t=1",
        "psd=x",
    ),
    *("", " ", "junk", "p", "=none", "p=none", "p=reject", "p=x", "sp=none; sp=reject", "rua=mailto:z@rua.example.net"),
    *(
        "x\\195\\169=1",
        "aspf=\\195\\169",
        "adkim=s,aspf=s",
        "a1=b",
        "sp:none",
        "rua=",
        "x=y\\009z",
        "p = none",
        "\\255=1",
    ),
)

DMARC_VERSIONS = (
    *(["v=DMARC1; "] * 40),
    *(
        "v=DMARC1;",
        "v = DMARC1 ; ",
        "V=DMARC1; ",
        "v=dmarc1; ",
        "v=DMARC10; ",
        " v=DMARC1; ",
        "v=DMARC1 ",
        "v=DMARC1, ",
    ),
    *("", '\\"v=DMARC1; ', "v=DMARC1;; ", "\\227\\128\\128v=DMARC1; ", "v=spf1 "),
)

POLICIES = (*(["p=none", "p=quarantine", "p=reject"] * 4), "p=Reject", "", "p=", "p=off", "p=none,", "p=reject pct=5")


def zones(count: int, seed: int) -> list[str]:
    """So many zones, each with the audited domain ``clinic.example.jp``."""
    return [_zone(random.Random(seed * 1_000_000 + number)) for number in range(count)]


def _zone(choice: random.Random) -> str:
    many = (f"many.example.net MX {number} host.example.net" for number in range(choice.choice((1, 10, 11))))
    parts = (_spf(choice), _dmarc(choice), _parents(choice), _hosts(choice), many)
    return "\n".join(line.strip() for line in chain(NEIGHBOURS.splitlines(), *parts) if line.strip())


def _spf(choice: random.Random) -> list[str]:
    if choice.random() < 0.06:
        return [choice.choice((f"{CLINIC} TXT !timeout", f"{CLINIC} TXT !servfail", f'{CLINIC} TXT "hello"', ""))]
    lines = [f'{CLINIC} TXT "{_spf_text(choice)}"']
    if choice.random() < 0.05:
        lines.append(f'{CLINIC} TXT "{_spf_text(choice)}"')
    if choice.random() < 0.05:
        lines.append(f'{CLINIC} SPF "v=spf1 -all"')
    if choice.random() < 0.05:
        lines.append(f'{CLINIC} TXT "\\255\\254 v=spf1 -all"')
    return lines


def _spf_text(choice: random.Random) -> str:
    includes = [f"include:{choice.choice(INCLUDED)}.example.net" for _ in range(choice.choice((0, 0, 1, 1, 2, 3, 6)))]
    terms = [choice.choice(TERMS) for _ in range(choice.choice((0, 1, 1, 2, 3, 5)))]
    if choice.random() < 0.2:
        terms.append(choice.choice(FAULTY_TERMS))
    parts = includes + terms
    choice.shuffle(parts)
    blank = "  " if choice.random() < 0.05 else " "
    return choice.choice(VERSIONS) + blank.join((*parts, choice.choice(ENDINGS)))


def _dmarc(choice: random.Random) -> list[str]:
    at = f"_dmarc.{CLINIC}"
    unusual = choice.random()
    if unusual < 0.12:
        return [
            choice.choice(("", f"{at} TXT !timeout", f"{at} TXT !servfail", f'{at} TXT "hello"', f"{at} A 192.0.2.1"))
        ]
    if unusual < 0.16:
        return [f"{at} CNAME other.example.net", f'other.example.net TXT "{_dmarc_text(choice)}"']
    if unusual < 0.19:
        return [f'{CLINIC} TXT "v=DMARC1; p=reject"', choice.choice(("", f"{at} A 192.0.2.1"))]
    lines = [f'{at} TXT "{_dmarc_text(choice)}"']
    if choice.random() < 0.06:
        lines.append(f'{at} TXT "{_dmarc_text(choice)}"')
    if choice.random() < 0.08:
        lines.append(f'{at} TXT "{choice.choice(("hello", "v=spf1 -all", "v=DMARC2", "", chr(92) + "255"))}"')
    return lines


def _dmarc_text(choice: random.Random) -> str:
    tags = [choice.choice(POLICIES)]
    if choice.random() < 0.7:
        tags.append(f"rua={choice.choice(ADDRESSES)}")
    tags += [choice.choice(TAGS) for _ in range(choice.choice((0, 0, 1, 1, 2)))]
    if choice.random() < 0.25:
        tags.append(choice.choice(FAULTY_TAGS))
    if choice.random() < 0.2:
        choice.shuffle(tags)
    ending = choice.choice((*[""] * 6, ";", ";", "; ", "; ", ";;"))
    return choice.choice(DMARC_VERSIONS) + "; ".join(tag for tag in tags if tag is not None) + ending


def _parents(choice: random.Random) -> list[str]:
    records = (
        "v=DMARC1; p=reject; sp=none",
        "v=DMARC1; p=none; np=reject; rua=mailto:a@example.jp",
        "v=DMARC1; p=quarantine; psd=n",
    )
    lines = []
    if choice.random() < 0.4:
        lines.append(f'_dmarc.example.jp TXT "{choice.choice((*records, _dmarc_text(choice)))}"')
    if choice.random() < 0.06:
        lines.append(choice.choice(("_dmarc.example.jp TXT !timeout", '_dmarc.example.jp TXT "hello"')))
    if choice.random() < 0.06:
        lines.append(choice.choice(('_dmarc.jp TXT "v=DMARC1; p=none; psd=y"', "_dmarc.jp TXT !servfail")))
    return lines


def _hosts(choice: random.Random) -> list[str]:
    kinds: tuple[list[str], ...] = (
        [f"{CLINIC} MX 10 host.example.net"],
        [f"{CLINIC} MX 10 host.example.net", f"{CLINIC} MX 20 gone.example.net"],
        [f"{CLINIC} MX 0 ."],
        [f"{CLINIC} MX 10 ."],
        [f"{CLINIC} MX 0 .", f"{CLINIC} MX 10 host.example.net"],
        [f"{CLINIC} MX 10 192.0.2.1"],
        [f"{CLINIC} MX 10 gone.example.net"],
        [f"{CLINIC} MX 10 slow.example.net"],
        [f"{CLINIC} MX !timeout"],
        [f"{CLINIC} A 192.0.2.1"],
        [f"{CLINIC} A 192.0.2.1", f"{CLINIC} MX 10 host.example.net"],
        [],
    )
    return choice.choice(kinds)
