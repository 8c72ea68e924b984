"""The power fails: of what was not synced, anything may be gone. What was acknowledged is not.

Every step of the spool on the file system is written down, and then, for each moment and each way in which a disk may
have got its work done by then, a file system is made from what has survived, and a spool is recovered on it.

What a disk may do (as journalling file systems do): changes to directories survive in their order, up to any point
after the last one that was synced; the content of a file that was not synced since it was written may be whole, cut or
empty.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mailguard.feedback.envelope import ReceivedMail
from mailguard.spool import Shelf
from mailguard.spool.disk import Disk
from mailguard.spool.reason import Reason

Step = tuple[str, ...]


@dataclass
class Recorder(Disk):
    """Does everything, and writes it down. Names are relative to ``root``."""

    root: Path
    steps: list[Step] = field(default_factory=list)
    contents: dict[str, bytes] = field(default_factory=dict)
    open_files: dict[int, str] = field(default_factory=dict)

    def _note(self, what: str, *paths: Path) -> None:
        self.steps.append((what, *(str(path.relative_to(self.root)) for path in paths)))

    def create(self, path: Path) -> int:
        file = super().create(path)
        self.open_files[file] = str(path.relative_to(self.root))
        self._note("create", path)
        return file

    def write(self, file: int, pieces: Sequence[bytes]) -> None:
        super().write(file, pieces)
        name = self.open_files[file]
        assert name not in self.contents, "each file is written once, under a name of its own"
        self.contents[name] = b"".join(pieces)
        self.steps.append(("write", name))

    def sync(self, file: int) -> None:
        super().sync(file)
        if file in self.open_files:
            self.steps.append(("sync", self.open_files[file]))

    def close(self, file: int) -> None:
        super().close(file)
        self.open_files.pop(file)

    def rename(self, source: Path, target: Path) -> None:
        super().rename(source, target)
        self._note("rename", source, target)

    def sync_folder(self, folder: Path) -> None:
        super().sync_folder(folder)
        self._note("sync folder", folder)

    def remove(self, path: Path) -> None:
        there = path.exists()
        super().remove(path)
        if there:
            self._note("remove", path)


@dataclass
class Life:
    """A spool at work, and the moments at which mails were promised and let go. ``kept`` maps a mail to the steps
    between which somebody relies on it."""

    recorder: Recorder
    shelf: Shelf
    kept: dict[bytes, tuple[int, float]] = field(default_factory=dict)

    def put(self, *texts: bytes) -> None:
        self.shelf.put([mail(text) for text in texts])
        self.kept |= dict.fromkeys(texts, (len(self.recorder.steps), float("inf")))

    def finish(self, *texts: bytes) -> None:
        """Let go from here on: the caller has stored them."""
        for text in texts:
            self.kept[text] = self.kept[text][0], len(self.recorder.steps)


def mail(text: bytes) -> ReceivedMail:
    return ReceivedMail(b"Subject: " + text + b"\r\n\r\n" + text * 50, 1_790_000_000)


@pytest.fixture
def life(tmp_path: Path) -> Life:
    Shelf(tmp_path / "spool").prepare()
    recorder = Recorder(tmp_path / "spool")
    return Life(recorder, Shelf(tmp_path / "spool", disk=recorder))


def test_nothing_acknowledged_is_lost_whenever_the_power_fails(life: Life, tmp_path: Path) -> None:
    live(life)
    tried = 0
    for moment in range(len(life.recorder.steps) + 1):
        relied_on = {text for text, (begin, end) in life.kept.items() if begin <= moment <= end}
        for number, survived in enumerate(outcomes(life.recorder, moment)):
            tried += 1
            found = recovered(survived, tmp_path / f"{moment}-{number}")
            assert relied_on <= found, f"{life.recorder.steps[:moment]} left {sorted(survived)}"
    assert tried > 100


def live(life: Life) -> None:
    """Mails come, are claimed, stored, given back, set aside and taken up again."""
    shelf = life.shelf
    life.put(b"one")
    life.put(b"two", b"three")
    first = shelf.claim()
    assert first is not None
    life.finish(b"one")
    shelf.done(first)
    second = shelf.claim()
    assert second is not None
    shelf.give_back(second)
    life.put(b"four")
    third = shelf.claim()
    assert third is not None
    id = shelf.quarantine(mail(b"two"), Reason("took-too-long"))
    life.finish(b"three")
    shelf.done(third)
    shelf.retry(id)


def outcomes(recorder: Recorder, moment: int) -> Iterator[dict[str, bytes]]:
    """Every file system that may be found after the power failed at a moment: names and contents."""
    steps = recorder.steps[:moment]
    synced = {step[1] for step in steps if step[0] == "sync"}
    changes = [at for at, step in enumerate(steps) if step[0] in ("create", "rename", "remove")]
    certain = max((at for at, step in enumerate(steps) if step[0] == "sync folder"), default=-1)
    for last in sorted({certain, *(at for at in changes if at > certain)}):
        names = names_after(steps[: last + 1])
        for part in (0.0, 0.5, 1.0):
            yield {
                name: content if origin in synced else content[: int(len(content) * part)]
                for name, origin in names.items()
                for content in (recorder.contents.get(origin, b""),)
            }


def names_after(steps: Sequence[Step]) -> dict[str, str]:
    """Which names there are, and under which name each file was made."""
    names: dict[str, str] = {}
    for what, *paths in steps:
        if what == "create":
            names[paths[0]] = paths[0]
        elif what == "rename":
            names[paths[1]] = names.pop(paths[0])
        elif what == "remove":
            names.pop(paths[0], None)
    return names


def recovered(survived: dict[str, bytes], folder: Path) -> set[bytes]:
    """The mails that a spool finds there, waiting or in quarantine. None may be damaged."""
    shelf = Shelf(folder)
    shelf.prepare()
    for name, content in survived.items():
        (folder / name).write_bytes(content)
    shelf.recover()
    assert os.listdir(shelf.tmp) == []
    waiting = [found for file in iter(shelf.claim, None) for found in read(shelf, file)]
    aside = [one for entry in shelf.list_quarantine() for one in shelf.load_quarantined(entry.id).mails]
    return {one.raw[9:].partition(b"\r\n")[0] for one in (*waiting, *aside)}


def read(shelf: Shelf, file: Path) -> tuple[ReceivedMail, ...]:
    batch = shelf.read(file)
    assert batch.damage == ()
    return batch.mails


@pytest.mark.parametrize("left_out", ["sync", "sync_folder"])
def test_without_a_sync_something_would_be_lost(life: Life, tmp_path: Path, left_out: str) -> None:
    """The simulation itself: it notices what was left out."""
    setattr(life.recorder, left_out, lambda *_: None)
    with pytest.raises(AssertionError):
        test_nothing_acknowledged_is_lost_whenever_the_power_fails(life, tmp_path)
