"""Whatever is sent in whatever order: adding twice is adding once, and sums are those of the records."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from mailguard.store import Filed, Outcome, Store, open_store
from mailguard.store.upkeep import Kind, check, prune
from mailguard.trust.grade import UNVERIFIED, Grade, Trust
from tests.store.samples import AUTHENTICATED, BEGIN, VERIFIED, everything, filed, record, report

TRUSTS = [
    VERIFIED,
    AUTHENTICATED,
    UNVERIFIED,
    Trust(Grade.VERIFIED, "b.example"),
    Trust(Grade.AUTHENTICATED, "b.example"),
]
records = st.builds(
    record,
    st.sampled_from(["192.0.2.1", "2001:db8::1"]),
    st.integers(0, 2**32),
    passes=st.booleans(),
    selector=st.just("s"),
)
reports = st.builds(
    lambda rows, number, day: report(*rows, report_id=number, begin=BEGIN + day * 86_400),
    st.lists(records, max_size=3),
    st.sampled_from("ab"),
    st.integers(0, 1),
)


@st.composite
def batches(draw: st.DrawFn) -> list[list[Filed]]:
    """Batches of mails over few reports, so that copies, conflicts and better proofs are the rule."""
    pool = draw(st.lists(reports, min_size=1, max_size=4))
    mails = st.builds(
        lambda chosen, trust, raw: filed(*chosen, trust=trust, raw=raw),
        st.lists(st.sampled_from(pool), max_size=2),
        st.sampled_from(TRUSTS),
        st.sampled_from([b"", b"same mail"]),
    )
    return draw(st.lists(st.lists(mails, max_size=4), min_size=1, max_size=4))


def opened(folder: str) -> Store:
    path = Path(folder) / "db"
    path.write_bytes(EMPTY)
    return open_store(path)


def _empty() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        open_store(Path(folder) / "db").close()
        return (Path(folder) / "db").read_bytes()


EMPTY = _empty()


@settings(max_examples=60, deadline=None)
@given(batches())
def test_adding_twice_is_adding_once_and_sums_agree(sequence: list[list[Filed]]) -> None:
    with tempfile.TemporaryDirectory() as folder, opened(folder) as store:
        for batch in sequence:
            store.add(batch)
        assert list(check(store.database)) == []
        once = everything(store.database)
        for batch in sequence:
            for stored in store.add(batch):
                assert not stored.new
                assert Outcome.STORED not in stored.outcomes
        assert everything(store.database) == once


@settings(max_examples=30, deadline=None)
@given(batches())
def test_one_batch_or_many_come_to_the_same(sequence: list[list[Filed]]) -> None:
    with (
        tempfile.TemporaryDirectory() as one,
        tempfile.TemporaryDirectory() as other,
        opened(one) as store,
        opened(other) as again,
    ):
        for batch in sequence:
            store.add(batch)
        again.add([mail for batch in sequence for mail in batch])
        assert everything(store.database) == everything(again.database)


@settings(max_examples=30, deadline=None)
@given(batches(), st.sampled_from(Kind), st.integers(0, 3))
def test_sums_agree_after_pruning_and_more_mail(sequence: list[list[Filed]], kind: Kind, days: int) -> None:
    with tempfile.TemporaryDirectory() as folder, opened(folder) as store:
        for batch in sequence:
            store.add(batch)
            prune(store.database, kind, BEGIN + days * 86_400)
            assert list(check(store.database)) == []
