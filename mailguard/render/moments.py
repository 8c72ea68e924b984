"""Moments as strangers write them: numbers that claim to be POSIX seconds."""

from __future__ import annotations

from datetime import UTC, datetime


def moment(seconds: int) -> str:
    """POSIX seconds as ISO 8601 in UTC, to the second. A number that no calendar has stays a number: never raises."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return str(seconds)
