"""Every key of the settings file is described, with its default."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from mailguard.ingest.settings import ListenerSettings
from mailguard.settings import RetentionSettings, TrustSettings, WorkSettings

PAGE = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text("utf-8")

KEYS = (
    *("url", "url_file", "url_env", "path", "free_mib", "waiting_mib", "listen", "hostname", "addresses"),
    *("tls_certificate_file", "tls_key_file", "proxies", "secret_file", "secret_env", "old_secret_files", "host"),
    *("prefix",),
    *(one.name for kind in (RetentionSettings, TrustSettings, WorkSettings) for one in fields(kind)),
    *(one.name for one in fields(ListenerSettings) if one.name != "port"),
)


@pytest.mark.parametrize("key", KEYS)
def test_every_key_is_described(key: str) -> None:
    assert f"`{key}`" in PAGE


@pytest.mark.parametrize("kind", [RetentionSettings, WorkSettings])
def test_defaults_are_told_as_they_are(kind: type) -> None:
    for one in fields(kind):
        assert f"| `{one.name}` | `{one.default}` |" in PAGE
