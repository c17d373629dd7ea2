"""Runs uvicorn with early listening, graceful shutdown and workers that end with their parent."""

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
from fast_zero.core.server.protocol import TimeoutProtocol
from fast_zero.core.settings import Settings

FACTORY = "fast_zero.app:create_worker_app"
BACKLOG = 2048
CONNECTIONS = 65_536


def listen(host: str, port: int) -> socket.socket:
    """Bind and listen. Port 0 selects a free port. Raises StartError if the address is in use."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)  # from now on the port is ours, and connections are queued
    except OSError as error:
        raise StartError(
            f"Cannot listen on {host}:{port}: {error.strerror or error}. "
            "Choose another with --port, or PORT."
        ) from error
    listener.set_inheritable(True)
    return listener


def address_of(listener: socket.socket) -> str:
    """Return the URL for a browser on this machine."""
    host, port = listener.getsockname()[:2]
    return local_url(host, port)


def run(app: ASGIApp, settings: Settings, listener: socket.socket, *, reload: bool) -> None:
    """Serve until SIGINT or SIGTERM. Requests in flight then have `shutdown_grace` to complete.

    Workers, and the reloaded process, create the application again from the environment.
    """
    allow_connections()
    single = settings.workers == 1 and not reload
    config = uvicorn.Config(
        app if single else FACTORY,
        factory=not single,
        workers=settings.workers,
        reload=reload,
        # What is read once: modules, and the page's templates, files and texts.
        reload_includes=["*.py", "*.html", "*.css", "*.js", "*.svg", "*.mo"] if reload else None,
        http=TimeoutProtocol,
        ws="none",
        log_config=None,  # `logs.configure` is called when a process starts
        access_log=False,
        log_level=settings.log_level,
        server_header=False,
        forwarded_allow_ips=settings.forwarded_allow_ips,
        timeout_graceful_shutdown=settings.shutdown_grace,
    )
    with (
        metrics.served(settings.host, settings.metrics_port, several=not single),
        suppress(KeyboardInterrupt),  # uvicorn raises the signal again after the shutdown
    ):
        if reload:
            ChangeReload(config, target=uvicorn.Server(config).run, sockets=[listener]).run()
        elif single:
            uvicorn.Server(config).run([listener])
        else:
            Workers(config, sockets=[listener]).run()


class Workers(Multiprocess):
    def terminate_all(self) -> None:
        """Refuse new connections from now on.

        The workers share the socket with this process. If it stayed open until the last worker has
        ended, it would accept connections that no worker serves.
        """
        for listener in self.sockets:
            listener.shutdown(socket.SHUT_RDWR)
        super().terminate_all()


def allow_connections() -> None:
    """Raise the limit of open files, often 1024, since each connection is an open file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = CONNECTIONS if hard == resource.RLIM_INFINITY else min(hard, CONNECTIONS)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


@contextmanager
def leave_with_parent() -> Iterator[None]:
    """In a worker, shut down gracefully if the parent process was killed."""
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
