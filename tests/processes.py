"""Starts the programs of fast_zero in the way that a user starts them.

Coverage doubles the work of a program, so only code that no test in the process runs is `measured`.
"""

import asyncio
import contextlib
import io
import logging
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from unittest import mock

import psutil
import uvicorn
from fastapi import FastAPI

from fast_zero import cli
from fast_zero.core import server
from fast_zero.core.observability import logs

PROGRAM = [sys.executable, "-m", "fast_zero"]
PATIENCE = 60  # seconds until a program that hangs is killed; a busy machine is slow
WORKING = re.compile(r"Running jobs")
ANNOUNCEMENT = re.compile(r"listens on (http://\S+)")


def unmeasured() -> dict[str, str]:
    """Return the environment for programs that run without coverage, which slows them down."""
    return {name: value for name, value in os.environ.items() if name != "COVERAGE_PROCESS_CONFIG"}


def environment(data_dir: Path, *, measured: bool = False, **variables: str) -> dict[str, str]:
    ours = {"HOST", "PORT", "WORKERS", "DATABASE_URL", "SECRET_KEY", "TTY_COMPATIBLE"}
    all_ = os.environ if measured else unmeasured()
    inherited = {name: value for name, value in all_.items() if name not in ours}
    # Tests send requests faster than people do.
    return inherited | {"DATA_DIR": str(data_dir), "REQUESTS_PER_MINUTE": "off"} | variables


def run(data_dir: Path, *arguments: str, stdin: str = "", measured: bool = False, **variables: str):
    """Run a command as a program, without a terminal."""
    return subprocess.run(
        [*PROGRAM, *arguments],
        cwd="/",  # which has no `.env`
        env=environment(data_dir, measured=measured, **variables),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def call(data_dir: Path, *arguments: str, stdin: str = "", **variables: str):
    """Run a command in this process, which saves the second that starting a program takes.

    At least one test of each command uses `run`.
    """
    output, errors = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
    with (
        restored_process(),
        contextlib.chdir("/"),  # which has no `.env`
        mock.patch.dict(os.environ, environment(data_dir, **variables), clear=True),
        mock.patch.object(sys, "argv", ["fast-zero", *arguments]),
        mock.patch.object(sys, "stdin", io.StringIO(stdin)),
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(errors),
    ):
        try:
            cli.main()
        except SystemExit as end:
            status = end.code
    output.flush()
    written = output.buffer.getvalue().decode()
    return subprocess.CompletedProcess(arguments, status, written, errors.getvalue())


@contextlib.contextmanager
def restored_process() -> Iterator[None]:
    """Restore what a command changes in its process: logging and a signal handler.

    A log handler that it has added would also keep the standard error of the command open.
    """
    handler = signal.getsignal(signal.SIGTERM)
    root = logging.getLogger()
    loggers = [root, *map(logging.getLogger, logs.NOISY_LOGGERS)]
    levels = [logger.level for logger in loggers]
    handlers = root.handlers[:]
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, handler)
        root.handlers[:] = handlers
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def on_a_terminal(
    data_dir: Path,
    *arguments: str,
    typed: str = "",
    terminal: str = "xterm-256color",
    measured: bool = False,
) -> str:
    """Run a command on a pseudo-terminal, and return what it showed."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*PROGRAM, *arguments],
        env=environment(data_dir, measured=measured, TERM=terminal),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        os.write(ours, typed.encode())
        shown = b""
        with contextlib.suppress(OSError):  # Linux raises it when the other side has closed
            while part := os.read(ours, 4096):
                shown += part
        process.wait(PATIENCE)
    os.close(ours)
    return shown.decode()


@dataclass
class Serving:
    process: subprocess.Popen
    url: str
    log: Path

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        return self.process.wait(PATIENCE)

    def workers(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children()


@contextlib.contextmanager
def serving(
    data_dir: Path, *arguments: str, measured: bool = False, **variables: str
) -> Iterator[Serving]:
    """Serve on a free port until the block ends. Remaining processes are killed."""
    log = data_dir.parent / f"{data_dir.name}-{time.monotonic_ns()}.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [*PROGRAM, "serve", "--port", "0", *arguments],
            cwd="/",  # which has no `.env`
            env=environment(data_dir, measured=measured, **variables),
            stdout=output,
            stderr=output,
        )
    try:
        yield Serving(process, wait_for_announcement(process, log), log)
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):
            family = psutil.Process(process.pid).children(recursive=True)
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(PATIENCE)
            for left in family:
                with contextlib.suppress(psutil.NoSuchProcess):
                    left.kill()
        process.kill()
        process.wait()


@contextlib.contextmanager
def served_in_thread(app: FastAPI) -> Iterator[str]:
    """Serve an application in a thread until the block ends, and yield its URL."""
    with server.listen("127.0.0.1", 0) as listener:
        config = uvicorn.Config(app, log_config=None, access_log=False, ws="none")
        serving = uvicorn.Server(config)
        thread = threading.Thread(target=serving.run, args=([listener],))
        thread.start()
        try:
            yield server.address_of(listener)
        finally:
            serving.should_exit = True
            thread.join()


@contextlib.contextmanager
def working(data_dir: Path, *, measured: bool = False, **variables: str) -> Iterator[Serving]:
    """Run a worker until the block ends."""
    log = data_dir.parent / f"{data_dir.name}-worker-{time.monotonic_ns()}.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [*PROGRAM, "worker"],
            cwd="/",
            env=environment(data_dir, measured=measured, **variables),
            stdout=output,
            stderr=output,
        )
    try:
        wait_for(WORKING, process, log)
        yield Serving(process, "", log)
    finally:
        process.kill()
        process.wait()


def wait_for_announcement(process: subprocess.Popen, log: Path) -> str:
    return wait_for(ANNOUNCEMENT, process, log)[1]


def wait_for(pattern: re.Pattern, process: subprocess.Popen, log: Path) -> re.Match:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if found := pattern.search(log.read_text()):
            return found
        if process.poll() is not None:
            break
        time.sleep(0.05)
    message = f"{pattern.pattern!r} is not in the log:\n{log.read_text()}"
    raise AssertionError(message)


def postmaster(data_dir: Path) -> psutil.Process | None:
    """Return the process of the embedded server in a folder, if it runs."""
    try:
        process = psutil.Process(int((data_dir / "pg18/postmaster.pid").read_text().split()[0]))
    except (FileNotFoundError, IndexError, psutil.NoSuchProcess):  # it is being written
        return None
    return process if process.name() == "postgres" and process.is_running() else None


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110  # another process cannot set an event
            await asyncio.sleep(0.05)


@contextlib.contextmanager
def fake_service(
    respond: Callable[[BaseHTTPRequestHandler, bytes], tuple[int, bytes]],
) -> Iterator[str]:
    """Run a fake HTTP service until the block ends, and yield its URL.

    `respond` takes a request and its body, and returns status and body.
    """

    class Handler(BaseHTTPRequestHandler):
        def handle_request(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, content = respond(self, body)
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_DELETE = handle_request  # noqa: N815  # the library's names

        def log_message(self, *_arguments: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
