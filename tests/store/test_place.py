"""What may be written for a database, and that no password is ever shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.errors import MailguardError, UsageError
from mailguard.store import open_reader
from mailguard.store.place import check_place, hide_password


@pytest.mark.parametrize(
    "place",
    [
        *("mailguard.db", "/var/lib/mailguard/reports.db", "sqlite:///x.db", "C:\\reports.db", "日本語.db"),
        *("postgresql:///reports", "postgresql://h", "postgres://h/reports", "postgresql://u@h:5432/reports"),
        *("postgresql://u:p%2Fw@h/reports", "postgresql://u:p:w@[2001:db8::1]:5432/reports?sslmode=require"),
        *("postgresql://u:p@a:1,b:2/reports?target_session_attrs=any", "postgresql://%2Ftmp%2Fsocket/reports"),
    ],
)
def test_what_can_be_understood(place: str) -> None:
    check_place(place)


@pytest.mark.parametrize(
    "place",
    [
        *("mysql://u:s3cret@h/x", "http://h/x", "sqlite://x", "host=h password=s3cret", "x\0y"),
        *("postgresql://u:s3/cret@h/x", "postgresql://u:s3?cret@h/x", "postgresql://u:s3#cret@h/x"),
        *(
            "postgresql://u:s3@cret@h/x",
            "postgresql://u:s3%cret@h/x",
            "postgresql://h:s3cret/x",
            "postgresql://h:99%00",
        ),
    ],
)
def test_what_cannot_is_told_without_showing_it(place: str) -> None:
    with pytest.raises(UsageError) as told:
        check_place(place)
    assert "cret" not in str(told.value)


PASSWORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12).map(
    lambda text: f"Xy{text}Zz"
)


@given(password=PASSWORDS, query=st.booleans())
def test_no_password_is_shown_whatever_is_in_it(password: str, query: bool) -> None:
    url = f"postgresql://u@127.0.0.1:1/x?password={password}" if query else f"postgresql://u:{password}@127.0.0.1:1/x"
    try:
        check_place(url)
        shown = hide_password(url)
    except UsageError as error:
        shown = str(error)
    assert password not in shown


@pytest.mark.parametrize("password", ["s3cret", "s3/cret", "s3%2Fcret", "s3%zzcret", "s3@cret", "s3:cret"])
def test_an_error_of_the_connection_shows_none(password: str) -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(MailguardError) as told:
        open_reader(f"postgresql://u:{password}@127.0.0.1:1/x")
    assert "cret" not in str(told.value)
