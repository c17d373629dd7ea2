"""uvicorn, started so that it listens at once, drains, and never outlives its parent."""

import asyncio
import multiprocessing
import resource
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import uvicorn
from starlette.types import ASGIApp
from uvicorn.supervisors import ChangeReload, Multiprocess

from fast_zero.core.addresses import local_url
from fast_zero.core.errors import StartError
from fast_zero.core.observability import metrics
from fast_zero.core.server.protocol import PatientProtocol
from fast_zero.core.settings import Settings

FACTORY = "fast_zero.app:create_worker_app"
BACKLOG = 2048
CONNECTIONS = 65_536


def listen(host: str, port: int) -> socket.socket:
    """Take the address, or say who may have it. Port 0 takes a free one."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)  # from here on nobody else can take it, and callers wait
    except OSError as error:
        raise StartError(
            f"Cannot listen on {host}:{port}: {error.strerror or error}. "
            "Choose another with --port, or PORT."
        ) from error
    listener.set_inheritable(True)
    return listener


def address_of(listener: socket.socket) -> str:
    """Give the URL for a browser on this machine."""
    host, port = listener.getsockname()[:2]
    return local_url(host, port)


def run(app: ASGIApp, settings: Settings, listener: socket.socket, *, reload: bool) -> None:
    """Serve until SIGINT or SIGTERM; what is in flight then has `shutdown_grace` to end.

    Workers, and the process that reloads, build the application anew from the environment.
    """
    allow_connections()
    alone = settings.workers == 1 and not reload
    config = uvicorn.Config(
        app if alone else FACTORY,
        factory=not alone,
        workers=settings.workers,
        reload=reload,
        http=PatientProtocol,
        ws="none",
        log_config=None,  # ours is made when a process starts, by `logs.configure`
        access_log=False,
        log_level=settings.log_level,
        server_header=False,
        forwarded_allow_ips=settings.forwarded_allow_ips,
        timeout_graceful_shutdown=settings.shutdown_grace,
    )
    with (
        metrics.served(settings.host, settings.metrics_port, several=not alone),
        suppress(KeyboardInterrupt),  # uvicorn raises the signal again when it has drained
    ):
        if reload:
            ChangeReload(config, target=uvicorn.Server(config).run, sockets=[listener]).run()
        elif alone:
            uvicorn.Server(config).run([listener])
        else:
            Workers(config, sockets=[listener]).run()


class Workers(Multiprocess):
    def terminate_all(self) -> None:
        """Have new connections refused from now on.

        The workers share the socket with this process. Left open until the last of them has
        ended, it would take callers whom nobody answers.
        """
        for listener in self.sockets:
            listener.shutdown(socket.SHUT_RDWR)
        super().terminate_all()


def allow_connections() -> None:
    """Raise the limit of open files, which often is 1024: each connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = CONNECTIONS if hard == resource.RLIM_INFINITY else min(hard, CONNECTIONS)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


@contextmanager
def leave_with_parent() -> Iterator[None]:
    """In a worker, drain and end when the process that started it was killed."""
    parent = multiprocessing.parent_process()
    if parent is None:
        yield
        return
    loop = asyncio.get_running_loop()

    def end() -> None:
        loop.remove_reader(parent.sentinel)
        signal.raise_signal(signal.SIGTERM)

    loop.add_reader(parent.sentinel, end)
    try:
        yield
    finally:
        loop.remove_reader(parent.sentinel)
