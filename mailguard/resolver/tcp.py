"""One question over TCP, for responses that UDP cuts short (RFC 7766)."""

from __future__ import annotations

import asyncio
import secrets

from mailguard.resolver.settings import NameServer
from mailguard.resolver.wire import answers_question, build_query


async def ask_by_tcp(server: NameServer, question_octets: bytes, *, edns: bool, timeout_s: float) -> bytes | None:
    """Connect, ask, read one message, close.

    ``timeout_s`` bounds all of it together, however slowly octets drip in. The message's length field bounds its size
    to 65,535 octets; whatever follows is not read.

    Returns:
        The response; ``b""`` where there was one that is not a response to this query; ``None`` where none came.
    """
    query_id = secrets.randbits(16)
    query = build_query(query_id, question_octets, edns=edns)
    try:
        async with asyncio.timeout(timeout_s):
            response = await _converse(server, query)
    except asyncio.IncompleteReadError as cut_short:
        return b"" if cut_short.partial else None
    except OSError:  # TimeoutError is one
        return None
    is_ours = response[:2] == query[:2] and answers_question(response, question_octets)
    return response if is_ours else b""


async def _converse(server: NameServer, query: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(server.host, server.port)
    try:
        writer.write(len(query).to_bytes(2, "big") + query)
        length = int.from_bytes(await reader.readexactly(2), "big")
        return await reader.readexactly(length)
    finally:
        writer.transport.abort()
