"""A receiver as RFC 9989 section 4.10 tells it: step by step, slow, and sharing no code with mailguard.

Works on a dictionary from domain to the list of its DMARC records, each a dictionary of tags.
"""

from __future__ import annotations

Records = dict[str, list[dict[str, str]]]


def labels_of(name: str) -> list[str]:
    return name.split(".") if name else []


def walk(start: str, records: Records) -> tuple[list[tuple[str, dict[str, str]]], list[str]]:
    """Found (name, record), and the names that were queried."""
    found: list[tuple[str, dict[str, str]]] = []
    queried: list[str] = []
    name = start
    first = True
    while name:
        queried.append(name)
        here = records.get(name, [])
        if len(here) == 1:
            found.append((name, here[0]))
            if here[0].get("psd") in ("y", "n"):
                break
        labels = labels_of(name)
        labels = labels[-7:] if first and len(labels) >= 8 else labels[1:]
        first = False
        name = ".".join(labels)
    return found, queried


def organizational_domain(start: str, records: Records) -> str:
    found, _ = walk(start, records)
    for name, record in found:
        if record.get("psd") == "n":
            return name
        if record.get("psd") == "y" and name != start:
            below = start[: -len(name) - 1]
            return labels_of(below)[-1] + "." + name
    if not found:
        return start
    return min((name for name, _ in found), key=lambda name: len(labels_of(name)))


def policy(author: str, exists: bool, records: Records) -> tuple[str | None, str]:
    """The policy domain and the policy ("absent" if there is none)."""
    own = records.get(author, [])
    if len(own) == 1:
        return author, apply_test_mode(own[0], own[0]["p"])
    organizational = organizational_domain(author, records)
    found = dict(walk(author, records)[0])
    if organizational in found:
        at = organizational
    else:
        suffixes = [name for name, record in found.items() if record.get("psd") == "y"]
        if not suffixes:
            return None, "absent"
        at = suffixes[0]
    record = found[at]
    wanted = record.get("sp", record["p"])
    if not exists:
        wanted = record.get("np", wanted)
    return at, apply_test_mode(record, wanted)


def apply_test_mode(record: dict[str, str], wanted: str) -> str:
    if record.get("t") != "y":
        return wanted
    return {"reject": "quarantine", "quarantine": "none", "none": "none"}[wanted]
