"""A PostgreSQL server of Debian for the length of a test run, under a user without rights."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)


@contextmanager
def server() -> Iterator[str]:
    """The URL of an empty database. Skips where there is no PostgreSQL, or nobody without rights to run it as."""
    if not BINARIES:
        pytest.skip("PostgreSQL is not installed (apt install postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="mailguard-pg-", dir="/tmp"))
    try:
        run = _runner(folder)
        run(
            BINARIES[0] / "initdb", "-D", folder / "data", "-U", "mailguard", "-A", "trust", "-E", "UTF8", "--no-locale"
        )
        options = f"-k {folder} -c listen_addresses='' -c max_connections=30"
        run(BINARIES[0] / "pg_ctl", "-D", folder / "data", "-l", folder / "log", "-w", "-o", options, "start")
        try:
            yield f"postgresql://mailguard@/postgres?host={folder}"
        finally:
            run(BINARIES[0] / "pg_ctl", "-D", folder / "data", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _runner(folder: Path):  # type: ignore[no-untyped-def]
    """Run a program as somebody who is not root: PostgreSQL refuses to be."""
    somebody: list[str] = []
    if os.geteuid() == 0:
        for name in ("postgres", "nobody"):
            with suppress(KeyError):
                user = pwd.getpwnam(name)
                break
        else:
            pytest.skip("there is no user to run PostgreSQL as")
        if not shutil.which("setpriv"):
            pytest.skip("setpriv is missing, and PostgreSQL does not run as root")
        os.chown(folder, user.pw_uid, user.pw_gid)
        somebody = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]

    def run(*command: object) -> None:
        done = subprocess.run(
            [*somebody, *map(str, command)], cwd=folder, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    return run
