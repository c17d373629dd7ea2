"""The files that pages load, below one digest of all of them, so that browsers keep them for good.

Modules and styles name one another by relative addresses, which the digest is part of.
"""

from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from fastapi import APIRouter
from starlette.responses import Response

from fast_zero.core.errors import NotFound

FOLDER = Path(__file__).parent / "static"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
}
CACHED = {"Cache-Control": "public, max-age=31536000, immutable"}

router = APIRouter()


class StaticFile(NamedTuple):
    content: bytes
    media_type: str


@cache
def files() -> dict[str, StaticFile]:
    found = sorted(path for path in FOLDER.iterdir() if path.suffix in TYPES)
    return {path.name: StaticFile(path.read_bytes(), TYPES[path.suffix]) for path in found}


@cache
def digest() -> str:
    whole = sha256()
    for name, file in files().items():
        whole.update(f"{name} {len(file.content)} ".encode() + file.content)
    return whole.hexdigest()[:16]


def address_of(name: str) -> str:
    if name not in files():
        raise KeyError(name)
    return f"/static/{digest()}/{name}"


@router.get("/static/{version}/{name}")
async def read_static_file(version: str, name: str) -> Response:
    if version != digest() or name not in files():
        raise NotFound("There is no such file.")
    file = files()[name]
    return Response(file.content, media_type=file.media_type, headers=CACHED)
