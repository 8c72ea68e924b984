"""The bounded memory of answers."""

from __future__ import annotations

from mailguard.inquiry import Question, RRType
from mailguard.names import name
from mailguard.resolver.cache import AnswerCache


def q(label: str) -> Question:
    return Question(name(f"{label}.example.jp"), RRType.TXT)


def test_a_value_is_there_until_its_time_is_over() -> None:
    cache: AnswerCache[str] = AnswerCache(10, 1000)
    cache.put(q("a"), "one", expires=60.0, octets=10)
    assert cache.get(q("a"), 59.9) == "one"
    assert cache.get(q("a"), 60.0) is None
    assert (len(cache), cache.octets) == (0, 0)


def test_the_entry_unused_for_longest_goes_first() -> None:
    cache: AnswerCache[str] = AnswerCache(2, 1000)
    for label in ("a", "b"):
        cache.put(q(label), label, expires=60.0, octets=1)
    cache.get(q("a"), 0.0)
    cache.put(q("c"), "c", expires=60.0, octets=1)
    assert [cache.get(q(label), 0.0) for label in "abc"] == ["a", None, "c"]


def test_heavy_answers_cannot_fill_the_memory() -> None:
    cache: AnswerCache[str] = AnswerCache(20_000, 1_000_000)
    for number in range(100):
        cache.put(q(str(number)), "x", expires=60.0, octets=65_535)
    assert cache.octets <= 1_000_000
    assert len(cache) == 15
    cache.put(q("whale"), "x", expires=60.0, octets=2_000_000)
    assert cache.get(q("whale"), 0.0) is None


def test_a_value_put_again_replaces_the_first() -> None:
    cache: AnswerCache[str] = AnswerCache(2, 1000)
    cache.put(q("a"), "one", expires=60.0, octets=400)
    cache.put(q("a"), "two", expires=60.0, octets=300)
    assert (cache.get(q("a"), 0.0), cache.octets, len(cache)) == ("two", 300, 1)
