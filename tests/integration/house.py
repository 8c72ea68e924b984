"""``mailguard serve`` whose database may be anywhere, and what a test wants to know of both."""

from __future__ import annotations

import smtplib
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from mailguard.errors import MailguardError
from mailguard.store import open_reader
from mailguard.store.reports import Window
from mailguard.store.upkeep import check
from tests.cli.daemon import SETTINGS, Daemon, send

AWAY = "mails wait until the database answers again"
BACK = "the database answers again"


class House(Daemon):
    """A daemon whose database may be anywhere."""

    def __init__(self, folder: Path, database: str, settings: str = SETTINGS) -> None:
        folder.mkdir(exist_ok=True)
        super().__init__(folder, settings.replace("reports.db", database))
        self.database = database

    def ids(self) -> Counter[str]:
        try:
            with open_reader(self.database) as reader:
                return Counter(row.report_id for row in reader.list_reports(limit=1_000_000))
        except MailguardError:
            return Counter()

    def is_done(self) -> bool:
        return not self.waiting()

    def outages(self) -> tuple[int, int]:
        """How often the log says that the database was away, and that it was back."""
        lines = self.log_text().splitlines()
        away = sum(AWAY in line for line in lines)
        return away, sum(BACK in line for line in lines) - away

    def send(self, *ids: str) -> None:
        for at in range(0, len(ids), 20):  # a session may bring so many
            with smtplib.SMTP("127.0.0.1", self.port) as client:
                for id in ids[at : at + 20]:
                    send(client, id)

    def damage(self) -> list[object]:
        with open_reader(self.database) as reader:
            return list(check(reader.database))

    def grades(self) -> dict[str, str]:
        """Of the reports that count; a better proved copy has taken the place of the first."""
        with open_reader(self.database) as reader:
            return {row.report_id: row.grade for row in reader.list_reports(limit=10_000) if not row.superseded}

    def counted(self, domain: str = "example.jp") -> int:
        """Messages that count where nobody asks for more than what is proved."""
        with open_reader(self.database) as reader:
            return sum(row.messages for row in reader.reporters(Window(domain)))


def start(started: ExitStack, house: House) -> House:
    """Start it; it is ended with ``started`` in any case."""
    house.start()
    assert house.process is not None
    started.callback(house.process.wait)
    started.callback(house.process.kill)
    return house
