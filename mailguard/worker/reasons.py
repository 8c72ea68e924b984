"""What the reasons mean: for each id its sentence.

The ids lie in the quarantine of running systems, so none is ever used for something else. The sentences may change.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mailguard.errors import Sentence
from mailguard.render.inspection import why_unreadable
from mailguard.spool.reason import EARLIER, Reason

NO_REPORT: Final = Reason("no-report")
FAILURE_REPORT: Final = Reason("failure-report")
TOOK_TOO_LONG: Final = Reason("took-too-long")
TOOK_TOO_MUCH_MEMORY: Final = Reason("took-too-much-memory")
ASKED_TOO_MUCH: Final = Reason("asked-too-much")
ENDED_US: Final = Reason("ended-us")
SENDER_UNCHECKED: Final = Reason("sender-unchecked")
SIGNED_IN_FUTURE: Final = Reason("signed-in-future")

_SENTENCES: Final[Mapping[str, Sentence]] = {
    "no-report": Sentence("There is no report in this mail."),
    "failure-report": Sentence("This is a failure report; they can hold mail of patients and are not kept."),
    "nothing-readable": Sentence("No report could be read: {file}: {why}{more}."),
    "partly-readable": Sentence("Not everything in this mail could be read: {file}: {why}{more}."),
    "took-too-long": Sentence("Reading this mail took too long."),
    "took-too-much-memory": Sentence("Reading this mail took too much memory."),
    "asked-too-much": Sentence("Checking who sent this mail needed too many questions to DNS."),
    "failed-in-us": Sentence("mailguard itself failed on this mail ({kind}); please report this."),
    "crashed": Sentence("Reading this mail made its process crash ({code})."),
    "ended-us": Sentence("mailguard ended three times while it worked on this mail."),
    "refused-by-database": Sentence("The database refused this mail ({why})."),
    "sender-unchecked": Sentence("DNS did not answer everything; who sent this mail will be checked again."),
    "signed-in-future": Sentence("The mail is signed later than it came: a clock is wrong. It will be checked again."),
    "damaged-file": Sentence("This file of the spool is damaged ({places}); `mailguard quarantine show` says where."),
    "no-spool-file": Sentence("The file does not begin as a spool file does."),
    "mails-cut-off": Sentence("Mail {number} of {count} and what follows it are cut off or damaged."),
    "mail-cut-off": Sentence("Mail {number} of {count} is cut off."),
    "mail-damaged": Sentence("Mail {number} of {count} is damaged."),
    "something-follows": Sentence("Something follows the last of {count} mails."),
    "note-unreadable": Sentence("The note with the reason cannot be read."),
}
_UNKNOWN: Final = Sentence("The reason has an id that this version of mailguard does not know ({id}).")


def sentence_of(reason: Reason) -> Sentence:
    """The sentence of a reason. Never raises, whatever an earlier or later version wrote down."""
    if reason.id == EARLIER and (text := str(reason.fields.get("text", ""))):
        return Sentence(text)  # one without fields is an interface text still, and is told in the reader's language
    fields: dict[str, object] = dict(reason.fields)
    if reason.id in ("nothing-readable", "partly-readable"):
        fields |= _about_files(reason)
    template = _SENTENCES.get(reason.id, _UNKNOWN)
    try:
        template.format(**fields)
    except (KeyError, IndexError, ValueError):
        template = _UNKNOWN
    return Sentence(template, **{"id": reason.id, **fields})


def _about_files(reason: Reason) -> dict[str, object]:
    others = reason.fields.get("others", 0)
    return {
        "file": reason.fields.get("file") or "-",
        "why": why_unreadable(str(reason.fields.get("why", ""))),
        "more": Sentence(" (and {count} more files)", count=others) if others else "",
    }
