"""``mailguard.toml``: what the daemon and the commands that work beside it are told once, in a file.

``parse_settings`` reads the text strictly: an unknown key, a wrong type or an impossible value is told in one sentence
with the file and the key. ``load_settings`` brings the text from the disk. Secrets never stand in the file; it names
the file (``..._file``) or the variable (``..._env``) in which each one lies. ``docs/configuration.md`` has every key.
"""

from mailguard.settings.parse import parse_settings
from mailguard.settings.read import DEFAULT_FILE, load_settings
from mailguard.settings.values import (
    DatabaseSettings,
    Endpoint,
    ReceivingSettings,
    ReportsSettings,
    RetentionSettings,
    Settings,
    TokenSettings,
    TrustSettings,
    WorkSettings,
)

__all__ = [
    "DEFAULT_FILE",
    "DatabaseSettings",
    "Endpoint",
    "ReceivingSettings",
    "ReportsSettings",
    "RetentionSettings",
    "Settings",
    "TokenSettings",
    "TrustSettings",
    "WorkSettings",
    "load_settings",
    "parse_settings",
]
