"""Sends requests to a server, again if that helps, and says in a sentence what went wrong."""

import ssl
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from http import HTTPStatus
from typing import Any, NoReturn, Self

import httpx2

import fast_zero
from fast_zero.client import credentials, text
from fast_zero.client.credentials import Credentials
from fast_zero.client.errors import ClientError, RefusedError, UnreachableError

TIMEOUT = httpx2.Timeout(30, connect=10)  # a server answers within 8 s, or begins to
PAUSES = (0.5, 2)
LONGEST_PAUSE = 10  # seconds: after that, people would rather know
BUSY = {HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
LARGEST_PAGE = 1000
INVALID = (httpx2.InvalidURL, ValueError, ImportError, OSError)
"""The errors of a URL, of the proxy in the environment (SOCKS needs a package), and of
SSL_CERT_FILE."""

UNKNOWN = {"Not Found", "Method Not Allowed"}
"""What a server says about a path that it does not have."""

NOT_OURS = "{url} does not answer as fast_zero does."
REVOKED = "The server does not accept the token any more. Log in again: fast-zero login URL"


class Answer(dict[str, Any]):
    """An object in an answer. What it should have and has not is an error in a sentence."""

    def __missing__(self, name: str) -> NoReturn:
        raise ClientError(
            f"The answer of the server has no {name}. Its version may be another than this one, "
            f"{fast_zero.__version__}."
        )


class Api:
    """A connection to a server. `change_sets` are those of the writes that it has sent."""

    def __init__(
        self, access: Credentials, timeout: httpx2.Timeout = TIMEOUT, *, patient: bool = True
    ) -> None:
        self.access = access
        self.pauses = PAUSES if patient else ()
        self.change_sets: list[str] = []
        headers = {"User-Agent": f"fast-zero/{fast_zero.__version__}"}
        if access.token:
            headers["Authorization"] = f"Bearer {access.token}"
        secure = access.url.startswith("https:")
        try:
            self.http = httpx2.Client(
                base_url=access.url,
                headers=headers,
                timeout=timeout,
                # A proxy would get what is sent over plain http, also to this machine.
                trust_env=secure,
                # Over plain http, a context that trusts nobody saves 20 ms of reading certificates.
                verify=secure or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            )
        except INVALID as error:
            reason = str(error).rstrip(".")
            raise ClientError(f"Cannot connect to {access.url}: {reason}.") from None

    @classmethod
    def open(cls) -> Self:
        return cls(credentials.load())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.http.close()

    def send(
        self,
        method: str,
        path: str,
        *,
        stream: bool = False,
        **content: Any,  # noqa: ANN401  # as httpx2
    ) -> httpx2.Response:
        """Send a request, and again if the server is busy or gave no answer.

        With `stream`, the caller reads the body as it arrives, and closes the response.
        Only what has the same effect once and twice is sent again: with a POST goes an
        `Idempotency-Key`. Without a token, nothing is: a log-in would be two.
        """
        headers = dict(content.pop("headers", {}))
        if method == "POST":
            headers.setdefault("Idempotency-Key", str(uuid.uuid4()))
        pauses = list(self.pauses) if self.access.token else []
        while True:
            try:
                request = self.http.build_request(method, path, headers=headers, **content)
                return self.send_once(request, stream=stream)
            except UnicodeEncodeError:
                raise ClientError("What you typed is not UTF-8.") from None
            except ClientError as error:
                if error.retry_after is None or not pauses:
                    raise
                time.sleep(max(pauses.pop(0), error.retry_after))

    def send_once(self, request: httpx2.Request, *, stream: bool) -> httpx2.Response:
        try:
            response = self.http.send(request, stream=stream)
            if not response.is_success:
                response.read()
        except httpx2.HTTPError as error:
            unreachable = UnreachableError(self.reason(error))
            unreachable.retry_after = None if is_lasting(error) else 0
            raise unreachable from None
        if not response.is_success:
            refused = refusal(response, self.access.url)
            refused.retry_after = seconds_until_retry(response)
            raise refused
        if change_set := response.headers.get("X-Change-Set"):
            self.change_sets.append(change_set)
        return response

    def reason(self, error: httpx2.HTTPError) -> str:
        url = self.access.url
        if fault := tls_fault(error):
            hint = "If you have a CA of your own, set SSL_CERT_FILE."
            return f"The TLS certificate of {url} is not valid: {fault}. {hint}"
        if isinstance(error, httpx2.TimeoutException):
            return f"{url} did not answer in time."
        return f"Cannot reach {url}: {error or type(error).__name__}."

    def get(self, path: str, **params: Any) -> dict[str, Any]:  # noqa: ANN401  # of any type
        return self.json(self.send("GET", path, params=params))

    def json(self, response: httpx2.Response) -> dict[str, Any]:
        with suppress(ValueError):
            found = response.json(object_hook=Answer)
            if isinstance(found, Answer):
                return found
        raise ClientError(NOT_OURS.format(url=self.access.url))

    def items(self, path: str, name: str, limit: int, **params: Any) -> Iterator[Any]:  # noqa: ANN401  # as above
        """Return up to `limit` items of a list, page by page."""
        while limit > 0:
            page = self.get(path, limit=min(limit, LARGEST_PAGE), **params)
            found = page.get(name)
            if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
                raise ClientError(NOT_OURS.format(url=self.access.url))
            yield from found
            limit -= len(found)
            if not found or not page.get("next"):
                return
            params["after"] = page["next"]


def is_lasting(error: httpx2.HTTPError) -> bool:
    """Return whether the same request would fail in the same way."""
    return not isinstance(error, httpx2.TransportError) or bool(tls_fault(error))


def tls_fault(error: BaseException) -> str:
    """Return what is wrong with the certificate of a server; nothing if that is not the fault."""
    cause: BaseException | None = error
    while cause:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return str(cause.verify_message)
        cause = cause.__cause__ or cause.__context__
    return ""


def seconds_until_retry(response: httpx2.Response) -> float | None:
    """Return how long to wait before the same request; None if it should not be sent again."""
    after = response.headers.get("Retry-After", "")
    if response.status_code not in BUSY or not after.isdecimal() or len(after) > 4:  # noqa: PLR2004  # hours
        return None
    return float(after) if int(after) <= LONGEST_PAUSE else None


def refusal(response: httpx2.Response, url: str) -> ClientError:
    """Return what a refusal says, as a sentence."""
    status = response.status_code
    if response.is_redirect:
        target = text.plain(response.headers.get("Location", "nowhere"))
        return ClientError(f"{url} redirects to {target}. Log in to that one.")
    try:
        problem = response.json()
        detail = problem["detail"]
        sentence = detail if isinstance(detail, str) else "; ".join(map(fault_of, detail))
    except (ValueError, TypeError, KeyError, AttributeError):
        return ClientError(f"{url} answered {status}, but not as fast_zero does.")
    code = problem.get("code")
    if code in {"invalid_token", "not_authenticated"}:
        sentence = REVOKED
    elif code == "insufficient_scope":
        sentence = f"{detail}."
    elif sentence in UNKNOWN:
        sentence = f"The server does not know {response.request.url.path}. It may be older."
    return RefusedError(text.plain(sentence), status, problem)


def fault_of(entry: dict[str, Any]) -> str:
    """Return an entry of a validation error as words: the field and what is wrong with it."""
    names = [str(name) for name in entry.get("loc", [])[1:]]
    message = str(entry.get("msg", "")).removeprefix("Value error, ")
    return f"{'.'.join(names)}: {message}" if names else message
