"""A settings file from the disk."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from mailguard.errors import UsageError, system_reason
from mailguard.settings.parse import parse_settings
from mailguard.settings.values import Settings

DEFAULT_FILE: Final = "mailguard.toml"

_MAX_BYTES: Final = 1024 * 1024


def load_settings(path: str | Path) -> Settings:
    """Read a settings file of at most 1 MiB; paths in it begin at its folder. Raises UsageError."""
    file = Path(path)
    try:
        with file.open("rb") as stream:
            content = stream.read(_MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        told = "The settings file {file} cannot be read ({reason}); give its path with --config."
        raise UsageError(told, file=str(file), reason=system_reason(error)) from error
    if len(content) > _MAX_BYTES:
        raise UsageError("{file} is too big for a settings file.", file=str(file))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError("{file} is not UTF-8 text.", file=str(file)) from error
    return parse_settings(text, str(file), file.parent)
