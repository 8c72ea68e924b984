"""What the resolver's tests have in common."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from mailguard.inquiry import Question, RRType
from mailguard.names import name
from mailguard.resolver import Resolver, ResolverSettings
from tests.hostile_dns import LoopbackDns


def txt(owner: str) -> Question:
    """The question for a name's TXT records."""
    return Question(name(owner), RRType.TXT)


@asynccontextmanager
async def asking(*servers: LoopbackDns, **settings: Any) -> AsyncIterator[Resolver]:
    """A resolver that asks ``servers``, quickly tired of waiting (0.3 s) unless told otherwise."""
    given = {"timeout_s": 0.3, "nameservers": tuple(server.nameserver for server in servers), **settings}
    async with Resolver(ResolverSettings(**given)) as resolver:
        yield resolver
