"""An error's sentence is English by itself and can be told in another language, whatever strangers put into it."""

from __future__ import annotations

from mailguard.errors import EvidenceError, Sentence, UsageError
from mailguard.words import translator

SAY = translator("ja")


def test_it_is_english_and_can_be_told_in_japanese() -> None:
    error = EvidenceError("The evidence file {file} is empty.", file="a.ndjson")
    assert str(error) == "The evidence file a.ndjson is empty."
    assert error.told(SAY) == "証拠ファイル a.ndjson は空です。"


def test_a_sentence_within_a_sentence_is_told_too() -> None:
    inner = EvidenceError("it is no UTF-8")
    outer = UsageError("The file {file} cannot be replayed: {reason}.", file="a", reason=inner.sentence)
    assert str(outer) == "The file a cannot be replayed: it is no UTF-8."
    assert outer.told(SAY) == "ファイル a からは診断をやり直せません（UTF-8として読めません）。"


def test_braces_in_what_was_typed_stay_braces() -> None:
    error = UsageError("{text!r} is no DKIM selector; it is what s= says in a DKIM-Signature.", text="{0}{file}")
    assert str(error).startswith("'{0}{file}' is no")
    assert error.told(SAY).startswith("'{0}{file}' は")


def test_without_fields_braces_stand_for_themselves() -> None:
    assert Sentence("{ja}") == "{ja}"
    assert Sentence("{ja}").told(str) == "{ja}"


def test_a_sentence_given_as_message_stays_what_it_is() -> None:
    sentence = Sentence("The evidence file {file} is empty.", file="a")
    assert UsageError(sentence).told(SAY) == sentence.told(SAY) == "証拠ファイル a は空です。"
