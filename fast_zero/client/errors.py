"""What can go wrong with a command. Each error is a sentence for the person who typed it."""

from typing import Any


class ClientError(Exception):
    """The command cannot do what it was asked to do."""

    retry_after: float | None = None
    """After how many seconds the same request may succeed. None: it would fail again."""


class UnreachableError(ClientError):
    """No answer came from the server."""


class RefusedError(ClientError):
    """The server refused a request. `problem` is the body of its answer (RFC 9457)."""

    def __init__(self, sentence: str, status: int, problem: dict[str, Any]) -> None:
        super().__init__(sentence)
        self.status = status
        self.problem = problem
        self.code = str(problem.get("code", ""))
