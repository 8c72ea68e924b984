"""All bounds on a report mail, and the ways in which reading can stop early.

``Damaged``, ``OverLimit`` and ``Enough`` never leave the package: ``read_mail`` turns them into results.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one mail. Real reports stay far below each of them.

    Applied to the bytes of the mail, before the e-mail parser sees them (it recurses, and keeps every line):

    * ``mail_bytes``: whole mail. The parser needs about ten times that in memory.
    * ``header_bytes``, ``headers``: the mail's header block, and the number of lines in it that start a header.
    * ``content_type_bytes``: one Content-Type header with its folded lines, anywhere in the mail (parsing its
      parameters costs the square of their number).
    * ``containers``: multipart and message parts anywhere in the mail, so also the depth of their nesting.
    * ``delimiters``: lines that begin with ``--``, so also the number of parts.
    * ``lines``: lines of the mail; 15 MiB of base64 have about 200,000.

    Applied while unpacking:

    * ``members``: files that are looked at in one mail, those inside archives included; gzip members in one file.
    * ``zip_directory_bytes``: size of a zip's central directory as its end record tells it.
    * ``inflated_bytes``: all that comes out of the mail's archives, in all passes over it.
    * ``ratio``, ``ratio_free_bytes``: bytes out per byte in, asked once this much has come out. Real reports
      shrink by 10 to 35.

    Applied while reading XML:

    * ``prolog_bytes``: bytes before the root element.
    * ``depth``, ``attributes``: nesting, and attributes of one element.
    * ``record_bytes``: bytes between the ends of two children of the root element.
    * ``record_elements``: elements inside one child of the root element; a record with more is dropped, and at ten
      times as many reading ends.
    * ``elements``: elements of all reports of one mail that need the parser; those of a mended part count twice.
    * ``elements_of_record``, ``spare_elements``: so many elements of each record that is kept cost nothing, of the
      others a mail has so many. Records have 20 to 40; elements that bring none are a bomb.
    * ``others``: children of the root element that are no records.
    * ``records``: records kept of one report; reading stops there and the report says so.
    * ``dropped``: records of one report that could not be read; ``mostly_dropped``: the same as long as fewer could.
    * ``count``: messages in one record. Small enough that no sum over two thousand million records can leave 64 bits.
    * ``text_chars``: any text that is kept; longer ones are cut and the record counts as repaired.
    * ``defects``: defects kept of one report; the others are only counted.

    Applied to JSON, before it is parsed (texts, counts, ``records`` for policies and failures as above):

    * ``json_bytes``, ``json_containers``, ``json_marks``: size of the file, objects and lists in it, and quotation
      marks, commas and opening brackets together.
    """

    mail_bytes: int = 15 * MIB
    header_bytes: int = 64 * 1024
    headers: int = 200
    content_type_bytes: int = 16 * 1024
    containers: int = 8
    delimiters: int = 500
    lines: int = 400_000

    members: int = 50
    zip_directory_bytes: int = 64 * 1024
    inflated_bytes: int = 200 * MIB
    ratio: int = 200
    ratio_free_bytes: int = 10 * MIB

    prolog_bytes: int = 64 * 1024
    depth: int = 16
    attributes: int = 20
    record_bytes: int = MIB
    record_elements: int = 2_000
    elements: int = 5_000_000
    elements_of_record: int = 100
    spare_elements: int = 300_000
    others: int = 1_000
    records: int = 100_000
    dropped: int = 10_000
    mostly_dropped: int = 3_000
    count: int = 2**32
    text_chars: int = 1_000
    defects: int = 100

    json_bytes: int = 4 * MIB
    json_containers: int = 200_000
    json_marks: int = 800_000

    def with_mails_of(self, mail_bytes: int) -> Limits:
        """The same for mails of another size, with as many lines a byte."""
        return replace(self, mail_bytes=mail_bytes, lines=self.lines * mail_bytes // self.mail_bytes)


DEFAULT_LIMITS: Final = Limits()

CHUNK_BYTES: Final = 64 * 1024
"""How much is inflated and fed to a parser at a time."""


class Damaged(Exception):
    """The input ends or breaks here; what came before it may be used. The text is a word for ``Defect.detail``."""


class OverLimit(Exception):
    """The input goes beyond a bound; nothing of it is used. The text is the name of the bound in ``Limits``."""


class Enough(Exception):
    """As many records as wanted have been read; they are kept and the rest is not looked at."""


@dataclass(slots=True)
class Effort:
    """Elements that one mail's reports may still have, ``left`` in all and ``spare`` beyond those of its records."""

    limits: Limits
    left: int
    spare: int

    @classmethod
    def within(cls, limits: Limits) -> Effort:
        """All that a mail may cost."""
        return cls(limits, limits.elements, limits.spare_elements)

    def take(self, elements: int, kept: int) -> None:
        """Count elements, and the records that were kept meanwhile. Raises OverLimit for ``elements``."""
        self.left -= elements
        # Nobody saves up: records first and a bomb after them is a bomb.
        self.spare = min(self.limits.spare_elements, self.spare + kept * self.limits.elements_of_record) - elements
        if self.left < 0 or self.spare < 0:
            raise OverLimit("elements")


@dataclass(slots=True)
class Budget:
    """Bytes that one mail's archives may still give; shared by all of its members and passes."""

    left: int

    def take(self, size: int) -> None:
        """Count ``size`` bytes. Raises OverLimit when the mail has given too many."""
        self.left -= size
        if self.left < 0:
            raise OverLimit("inflated_bytes")
