"""The fastest possible server: raw ASGI, psycopg and one statement for each request.

It checks the token and the owner of each row, since no response would be correct without these.
It has no validation, no documentation and no error messages.
"""

import asyncio
import hmac
import json
import os
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from psycopg import AsyncConnection, AsyncRawCursor
from pwdlib import PasswordHash
from starlette.types import Receive, Scope, Send

CONNECTIONS = 10  # as many as fast_zero has
DATABASE_URL = os.environ.get("DATABASE_URL", "").replace("+psycopg", "")  # libpq's scheme
KEY = os.environ.get("SECRET_KEY", "").encode()
TOKEN_SECONDS = 1800
COLUMNS = ("id", "title", "description", "state", "created_at", "updated_at")
LISTED = ", ".join(COLUMNS)
HEADER = urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').rstrip(b"=")

ResponseModel = tuple[int, object]

hasher = PasswordHash.recommended()
hashing = ThreadPoolExecutor(1)
free: asyncio.LifoQueue[AsyncConnection[Any]] = asyncio.LifoQueue()


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    status, content = await handle(scope, receive)
    body = json.dumps(content, separators=(",", ":"), default=datetime.isoformat).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def lifespan(receive: Receive, send: Send) -> None:
    await receive()
    async with AsyncExitStack() as stack:
        for _ in range(CONNECTIONS):
            connection = await AsyncConnection.connect(
                DATABASE_URL, autocommit=True, prepare_threshold=0, cursor_factory=AsyncRawCursor
            )
            free.put_nowait(await stack.enter_async_context(connection))
        await send({"type": "lifespan.startup.complete"})
        await receive()
    await send({"type": "lifespan.shutdown.complete"})


async def handle(scope: Scope, receive: Receive) -> ResponseModel:
    path = scope["path"]
    if path == "/auth/token":
        return await log_in(dict(parse_qsl((await read(receive)).decode())))
    user = read_token(scope["headers"])
    if user is None:
        return 401, {"detail": "Not authenticated"}
    if scope["method"] == "GET":
        return await list_todos(user, dict(parse_qsl(scope["query_string"].decode())))
    body = json.loads(await read(receive))
    if scope["method"] == "POST":
        return await create_todo(user, body)
    return await update_todo(user, int(path.rpartition("/")[2]), body)


async def read(receive: Receive) -> bytes:
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def fetch(statement: str, parameters: list[object]) -> list[tuple[Any, ...]]:
    connection = await free.get()
    try:
        cursor = await connection.execute(statement.encode(), parameters)
        return await cursor.fetchall()
    finally:
        free.put_nowait(connection)


def sign(signed: bytes) -> bytes:
    return urlsafe_b64encode(hmac.digest(KEY, signed, "sha256")).rstrip(b"=")


def read_token(headers: Iterable[tuple[bytes, bytes]]) -> int | None:
    """Check only the signature and the expiry of the token."""
    for name, value in headers:
        if name == b"authorization":
            signed, _, signature = value.removeprefix(b"Bearer ").rpartition(b".")
            if not hmac.compare_digest(signature, sign(signed)):
                return None
            claims = json.loads(urlsafe_b64decode(signed.partition(b".")[2] + b"=="))
            return int(claims["sub"]) if claims["exp"] > time.time() else None
    return None


def as_dict(row: tuple[Any, ...]) -> dict[str, Any]:
    return dict(zip(COLUMNS, row, strict=True))


async def list_todos(user: int, query: dict[str, str]) -> ResponseModel:
    limit = int(query.get("limit", "100"))
    parameters: list[object] = [user, limit + 1]
    where = "owner_id = $1"
    if state := query.get("state"):
        parameters.append(state)
        where += f" AND state = ${len(parameters)}"
    if title := query.get("title"):
        parameters.append(f"%{title}%")
        where += f" AND title ILIKE ${len(parameters)}"
    rows = await fetch(f"SELECT {LISTED} FROM todos WHERE {where} ORDER BY id LIMIT $2", parameters)
    last = rows[limit - 1][0] if len(rows) > limit else None
    return 200, {"todos": [as_dict(row) for row in rows[:limit]], "next": last}


async def create_todo(user: int, body: dict[str, str]) -> ResponseModel:
    values = [user, body["title"], body.get("description", ""), body.get("state", "todo")]
    [row] = await fetch(
        "INSERT INTO todos (owner_id, title, description, state) VALUES ($1, $2, $3, $4)"
        f" RETURNING {LISTED}",
        values,
    )
    return 201, as_dict(row)


async def update_todo(user: int, todo_id: int, body: dict[str, str]) -> ResponseModel:
    fields = [name for name in ("title", "description", "state") if name in body]
    changes = ", ".join(f"{name} = ${number}" for number, name in enumerate(fields, start=3))
    rows = await fetch(
        f"UPDATE todos SET {changes}, updated_at = now() WHERE owner_id = $1 AND id = $2"
        f" RETURNING {LISTED}",
        [user, todo_id, *(body[name] for name in fields)],
    )
    return (200, as_dict(rows[0])) if rows else (404, {"detail": "Task not found."})


async def log_in(form: dict[str, str]) -> ResponseModel:
    rows = await fetch(
        "SELECT id, password_hash FROM users WHERE email_key = lower($1)", [form["username"]]
    )
    loop = asyncio.get_running_loop()
    if not rows or not await loop.run_in_executor(
        hashing, hasher.verify, form["password"], rows[0][1]
    ):
        return 401, {"detail": "Incorrect email or password"}
    now = int(time.time())
    claims = {"sub": str(rows[0][0]), "iat": now, "exp": now + TOKEN_SECONDS}
    signed = HEADER + b"." + urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=")
    token = (signed + b"." + sign(signed)).decode()
    return 200, {"access_token": token, "token_type": "bearer"}
