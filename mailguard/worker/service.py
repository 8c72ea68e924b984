"""The daemon: listener, mailboxes and worker on one event loop, started and stopped together.

It starts although the database is away: mail goes to the spool. It ends within 10 seconds; what is not finished by
then lies in the spool, where the next start finds it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mailguard.errors import MailguardError, OperationError, Sentence, UsageError, system_reason
from mailguard.feedback.envelope import ReceivedMail
from mailguard.feedback.limits import DEFAULT_LIMITS
from mailguard.resolver import Resolver, ResolverSettings, parse_nameserver
from mailguard.settings import ReceivingSettings, Settings
from mailguard.sources.secret import Secret
from mailguard.sources.settings import MailboxSettings
from mailguard.spool import Spool, SpoolSettings
from mailguard.store import Store, open_reader, open_store
from mailguard.trust.judge import Owned
from mailguard.trust.reporter import KNOWN_REPORTERS
from mailguard.worker.filer import Filer
from mailguard.worker.handling import Handler
from mailguard.worker.judging import Judge
from mailguard.worker.later import Later
from mailguard.worker.mailboxes import SeenInStore, reader_name, watch_mailbox
from mailguard.worker.notify import keep_telling, notify, watchdog_s
from mailguard.worker.quotas import BoundedQuarantine, bounds, keep_within
from mailguard.worker.readers import Readers
from mailguard.worker.retention import Age, keep_pruning
from mailguard.worker.tries import Tries
from mailguard.worker.wire import ReadingSettings
from mailguard.worker.worker import Worker, WorkerSettings

if TYPE_CHECKING:
    from mailguard.ingest.listener import Deliver, Listener
    from mailguard.ingest.tls import Certificate
    from mailguard.trust.token import ReportAddresses

log = logging.getLogger(__name__)

_MIB: Final = 1024 * 1024

_DRAIN_S: Final = 6.0
"""For mails that are being received when we stop; the listener takes two seconds more."""

STOP_S: Final = 9.0
"""After so long everything that still runs is left; the spool has what is not finished."""


def run_service(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Raises UsageError or OperationError when it cannot begin."""
    asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    async with service(settings, stop) as listener:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, _begin_stop, stop)
        log.warning("%s", _what_runs(settings, listener))
        notify("READY=1")
        watchdog = watchdog_s()
        alive = asyncio.create_task(keep_telling(watchdog)) if watchdog else None
        await stop.wait()
        if alive:
            alive.cancel()
        notify("STOPPING=1")
        log.warning("stopping")


def _begin_stop(stop: asyncio.Event) -> None:
    if stop.is_set():
        _leave()  # asked twice: at once
    stop.set()
    asyncio.get_running_loop().call_later(STOP_S, _leave)


def _leave() -> None:
    log.error("not everything ended in time; the rest waits in the spool")
    os._exit(0)


@asynccontextmanager
async def service(settings: Settings, stop: asyncio.Event) -> AsyncIterator[Listener | None]:
    """Everything that the settings ask for, running. Setting ``stop`` ends the work; leaving ends the rest."""
    place = settings.database.place()
    judge = judge_for(settings, awaits_past=True)
    reading = reading_settings(settings)
    async with AsyncExitStack() as stack:
        spool = await stack.enter_async_context(Spool(settings.spool, _spool_settings(settings)))
        filer = await stack.enter_async_context(Filer(lambda: _open(place, judge)))
        door = _Door(filer)
        readers = await stack.enter_async_context(
            Readers(reading, processes=settings.work.processes, mail_s=float(settings.work.mail_s), gate=door.passes)
        )
        resolver = await stack.enter_async_context(Resolver(_resolver(settings))) if settings.trust.check else None
        handler = Handler(
            readers=readers,
            filer=filer,
            judge=judge,
            resolver=resolver,
            quarantine=BoundedQuarantine(spool.shelf, settings.retention.quarantine_mib * _MIB).keep,
            later=Later(settings.spool / "later"),
            tries=Tries(settings.spool / "tries.json"),
        )
        age = Age()
        worker = Worker(
            spool.shelf,
            handler,
            WorkerSettings(quarantine_days=settings.retention.quarantine_days),
            may_age=lambda: age.believed,
        )
        tasks = [
            asyncio.create_task(worker.run(stop), name="worker"),
            asyncio.create_task(door.open(), name="store"),
            asyncio.create_task(keep_pruning(filer, settings.retention, age=age), name="retention"),
            *(
                asyncio.create_task(keep_within(filer, holding, most), name=f"bound on {holding}")
                for holding, most in bounds(settings.retention)
            ),
            *(
                asyncio.create_task(
                    watch_mailbox(one, handler, seen=SeenInStore(filer, reader_name(reading))),
                    name=f"mailbox {one.host}",
                )
                for one in settings.mailboxes
            ),
        ]
        stack.push_async_callback(_end, tasks, stop)
        for task in tasks:
            task.add_done_callback(lambda done: _ended(done, stop))
        listener = None
        certificate = _certificate(settings.listener) if settings.listener else None
        _on_hangup(certificate)
        if settings.listener is not None:
            listener = _listener(settings, settings.listener, spool, worker, certificate)
            await stack.enter_async_context(listener)
        yield listener


class _Door:
    """Nothing that was read is taken until the store has been opened: only then is it known who reported before, and
    what was read would have to be held. Mails wait in the spool and in mailboxes."""

    def __init__(self, filer: Filer) -> None:
        self._filer = filer
        self._opened = asyncio.Event()

    async def open(self) -> None:
        """Return when the store is open, however long that takes."""
        await self._filer.ready()
        self._opened.set()

    async def passes(self) -> None:
        """Return when something more may be read."""
        await self._opened.wait()
        await self._filer.has_room()


def judge_for(settings: Settings, *, awaits_past: bool = False) -> Judge:
    """Who grades reports by these settings. Raises UsageError for a secret of report addresses that is none."""
    return Judge(
        Owned(frozenset(settings.trust.domains), frozenset(settings.trust.pending)),
        KNOWN_REPORTERS.vouch_all(settings.trust.reporters),
        addresses=report_addresses(settings, settings.listener) if settings.listener else None,
        awaits_past=awaits_past,
    )


def reading_settings(settings: Settings) -> ReadingSettings:
    """How reading processes work by these settings."""
    return ReadingSettings(
        DEFAULT_LIMITS.with_mails_of(settings.mail_bytes),
        trusted_hosts=settings.trust.authserv_ids,
        memory_bytes=settings.work.memory_mib * _MIB,
        failure_reports=settings.reports.failure,
    )


def _open(place: str, judge: Judge) -> Store:
    store = open_store(place)
    judge.remember(store.known_names())
    return store


async def _end(tasks: list[asyncio.Task[None]], stop: asyncio.Event) -> None:
    stop.set()
    worker, *others = tasks
    for task in others:
        task.cancel()
    await asyncio.wait({worker, *others})
    for task in tasks:
        if not task.cancelled() and (error := task.exception()):
            raise OperationError("{part} ended by itself; see the log.", part=task.get_name()) from error


def _ended(task: asyncio.Task[None], stop: asyncio.Event) -> None:
    """None of them ends by itself unless something is broken; then it is better to be started again as a whole."""
    if not task.cancelled() and (error := task.exception()):
        log.critical("%s ended, so everything does", task.get_name(), exc_info=error)
        stop.set()


def _listener(
    settings: Settings, receiving: ReceivingSettings, spool: Spool, worker: Worker, certificate: Certificate | None
) -> Listener:
    from mailguard.ingest.listener import Listener

    return Listener(
        replace(receiving.listener, drain_s=min(receiving.listener.drain_s, _DRAIN_S)),
        _deliver(spool, worker),
        accepts=_accepts(settings, receiving),
        has_room=spool.has_room,
        certificate=certificate,
        sockets=list(_sockets(receiving)),
    )


def _deliver(spool: Spool, worker: Worker) -> Deliver:
    async def deliver(mail: ReceivedMail) -> None:
        await spool.put(mail)
        worker.wake()

    return deliver


def _accepts(settings: Settings, receiving: ReceivingSettings) -> Callable[[str], str | None] | None:
    addresses = report_addresses(settings, receiving)
    if addresses is None:
        return None
    return lambda address: address.lower() if addresses.accepts(address) else None


def report_addresses(settings: Settings, receiving: ReceivingSettings) -> ReportAddresses | None:
    """The report addresses with tokens, if the settings ask for them. Raises UsageError for a secret that is none."""
    from mailguard.trust.token import ReportAddresses

    tokens = receiving.tokens
    if tokens is None:
        return None
    return ReportAddresses(
        tokens.secret.read().encode(),
        (*settings.trust.domains, *settings.trust.pending),
        tokens.host,
        old_secrets=[secret.read().encode() for secret in tokens.old_secrets],
        prefix=tokens.prefix,
    )


def _certificate(receiving: ReceivingSettings) -> Certificate | None:
    from mailguard.ingest.tls import Certificate

    return Certificate(*receiving.tls) if receiving.tls else None


def _on_hangup(certificate: Certificate | None) -> None:
    def reload() -> None:
        if certificate is not None:
            certificate.reload()
            log.warning("certificates were taken anew")

    # Always: without a handler of ours the signal would end us.
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reload)


def _sockets(receiving: ReceivingSettings) -> Iterator[socket.socket]:
    """The sockets to listen on: opened here, or by systemd."""
    from mailguard.ingest.activation import take_sockets

    given = take_sockets()
    yield from given
    if not receiving.endpoints and not given:
        raise OperationError(
            'systemd handed over no socket; is mailguard.socket running? ([listener]: listen = "systemd")'
        )
    for endpoint in receiving.endpoints:
        family = socket.AF_INET6 if ":" in endpoint.host else socket.AF_INET
        opened = socket.socket(family, socket.SOCK_STREAM)
        try:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            opened.bind((endpoint.host, endpoint.port))
            opened.setblocking(False)
        except OSError as error:
            opened.close()
            raise OperationError(
                "Nothing can listen on {endpoint} ({reason}).", endpoint=str(endpoint), reason=system_reason(error)
            ) from error
        yield opened


def _spool_settings(settings: Settings) -> SpoolSettings:
    return SpoolSettings(free_bytes=settings.spool_free_mib * _MIB, waiting_bytes=settings.spool_waiting_mib * _MIB)


def _resolver(settings: Settings) -> ResolverSettings:
    return ResolverSettings(nameservers=tuple(map(parse_nameserver, settings.trust.nameservers)))


def _what_runs(settings: Settings, listener: Listener | None) -> str:
    where = [str(endpoint) for endpoint in settings.listener.endpoints] if settings.listener else []
    if listener is not None:
        where = [f"port {listener.port}", *where]
    where += [f"mailbox {mailbox.user}@{mailbox.host}" for mailbox in settings.mailboxes]
    return f"mailguard receives reports: {', '.join(where) or 'only what is put into the spool'}"


def check_settings(settings: Settings) -> list[Sentence]:
    """Look whether everything that the settings name is in place, without changing anything; remarks for people.

    Raises UsageError or OperationError for what would keep the daemon from starting.
    """
    settings.database.place()
    if settings.listener is not None:
        report_addresses(settings, settings.listener)
        _certificate(settings.listener)
    for mailbox in settings.mailboxes:
        for secret in _secrets_of(mailbox):
            secret.read()
    if settings.trust.check:
        _resolver(settings)
    folder = next(path for path in (settings.spool, *settings.spool.parents) if path.exists())
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError("{file}: [spool]: {path} cannot be written by this user.", file=settings.file, path=folder)
    return list(_remarks(settings))


def _secrets_of(mailbox: MailboxSettings) -> Iterator[Secret]:
    oauth = mailbox.oauth
    found = (mailbox.password, oauth and oauth.client_secret, oauth and oauth.refresh_token)
    yield from (secret for secret in found if secret)


def _secrets(settings: Settings) -> Iterator[Secret]:
    if settings.database.secret:
        yield settings.database.secret
    listener = settings.listener
    if listener is not None and listener.tokens is not None:
        yield from (listener.tokens.secret, *listener.tokens.old_secrets)
    if listener is not None and listener.tls is not None:
        yield Secret(file=str(listener.tls[1]))
    for mailbox in settings.mailboxes:
        yield from _secrets_of(mailbox)


def _remarks(settings: Settings) -> Iterator[Sentence]:
    for secret in _secrets(settings):
        if secret.is_open():
            yield Sentence("Every user of this machine may read {file}; run: chmod 600 {file}", file=secret.file)
    place = settings.database.place()
    if "://" in place or Path(place).exists():
        try:
            open_reader(place).close()
        except MailguardError as error:
            yield Sentence(
                "The database does not answer yet; until it does, mails wait in the spool. ({why})", why=error.sentence
            )
