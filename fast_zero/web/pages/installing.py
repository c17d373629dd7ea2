"""What makes the page installable: manifest, service worker, the page without a connection, pushes.

Browsers take these over HTTPS and from localhost only. Elsewhere the page works without them.
"""

import json
from functools import cache
from http import HTTPStatus

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from fast_zero.core.errors import DomainError
from fast_zero.core.http.dependencies import CurrentSession
from fast_zero.push import queries, service, vapid
from fast_zero.push.schemas import PushKeys, PushSubscriptionCreate
from fast_zero.web import cookies, links, rendering, static_files
from fast_zero.web.attempts import attempt
from fast_zero.web.dependencies import AnyPage, Fields, UserPage
from fast_zero.web.texts import mark, translations_of

OFFLINE = "installing/offline.html"
PUSH = "installing/push.html"
WORKER = static_files.FOLDER / "worker" / "service-worker.js"
PRECACHED = {".js", ".css", ".svg"}
BACKGROUND = "#f5f7f5"
ICONS = (
    ("icon-192.png", "192x192", "any"),
    ("icon-512.png", "512x512", "any"),
    ("maskable-512.png", "512x512", "maskable"),
)
DESCRIPTION = mark("Your tasks, also without a connection.")
SHORTCUTS = (
    (mark("Today"), "/app/today"),
    (mark("Inbox"), "/app/inbox"),
    (mark("Upcoming"), "/app/upcoming"),
)

router = APIRouter()


@router.get("/app/manifest.webmanifest")
async def show_manifest(request: Request) -> Response:
    """Describe the page to a browser that installs it, in its language."""
    language = cookies.language_of(request)
    gettext = translations_of(language).gettext
    manifest = {
        "id": links.APP,
        "name": "fast_zero",
        "short_name": "fast_zero",
        "description": gettext(DESCRIPTION),
        "lang": language,
        "start_url": links.HOME,
        "scope": links.APP,
        "display": "standalone",
        "background_color": BACKGROUND,
        "theme_color": BACKGROUND,
        "icons": [
            {
                "src": static_files.address_of(name),
                "sizes": sizes,
                "type": "image/png",
                "purpose": purpose,
            }
            for name, sizes, purpose in ICONS
        ],
        "shortcuts": [{"name": gettext(name), "url": address} for name, address in SHORTCUTS],
    }
    return Response(json.dumps(manifest), media_type="application/manifest+json")


@cache
def worker() -> str:
    """Return the service worker. What it names changes with a release, which replaces it."""
    files = [
        static_files.address_of(name)
        for name in static_files.files()
        if name.endswith(tuple(PRECACHED))
    ]
    names = {
        "DIGEST": static_files.digest(),
        "FILES": files,
        "ICON": static_files.address_of(ICONS[0][0]),
    }
    head = "".join(f"const {name} = {json.dumps(value)}\n" for name, value in names.items())
    return head + WORKER.read_text(encoding="utf-8")


@router.get("/app/service-worker.js")
async def show_worker() -> Response:
    return Response(worker(), media_type="text/javascript; charset=utf-8")


@router.get("/app/offline")
async def show_offline(page: AnyPage) -> Response:
    """Show what the service worker keeps, for pages of which it has no copy."""
    return HTMLResponse(rendering.render(page.reader.language, OFFLINE, {"reader": page.reader}))


@router.get("/app/push")
async def show_push(page: UserPage) -> Response:
    """Show the control that the settings load, where a browser can receive pushes."""
    return page.render(PUSH, key=vapid.public_key(page.settings))


@router.post("/app/push")
async def subscribe(page: UserPage, fields: Fields, session: CurrentSession) -> Response:
    """Send the notifications of this account to this browser."""
    form = page.form(fields)
    keys = form.parse(PushKeys)
    new = form.parse(PushSubscriptionCreate, keys=keys) if keys else None
    if new is None:
        return page.show_errors(PUSH, form, key=vapid.public_key(page.settings))
    done = await attempt(session, service.register(session, page.settings, page.reader.id, new))
    if isinstance(done, DomainError):
        return page.show_errors(PUSH, form, done, key=vapid.public_key(page.settings))
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.post("/app/push/off")
async def unsubscribe(page: UserPage, fields: Fields, session: CurrentSession) -> Response:
    """Send nothing more to this browser."""
    endpoint = fields.get("endpoint", "")
    if not endpoint:
        return page.show_errors(PUSH, page.form(fields), key=vapid.public_key(page.settings))
    await queries.delete_endpoint(session, page.reader.id, endpoint)
    return Response(status_code=HTTPStatus.NO_CONTENT)
