"""Where the rooms are plugged together into one application."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module

from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse
from starlette.middleware import Middleware
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.types import Scope

import fast_zero
from fast_zero.accounts import router as accounts
from fast_zero.administration import router as administration
from fast_zero.core import database
from fast_zero.core.garbage_collection import spared_collector
from fast_zero.core.http import examples, health, openapi, problems
from fast_zero.core.http.dependencies import KNOWN_PARAMETERS
from fast_zero.core.http.middleware.access_log import AccessLog
from fast_zero.core.http.middleware.deadline import Deadline
from fast_zero.core.http.middleware.forwarded import Forwarded
from fast_zero.core.http.middleware.normalize_path import NormalizePath
from fast_zero.core.http.middleware.rate_limit import EXHAUSTED, RateLimit
from fast_zero.core.http.middleware.response_headers import (
    PROBES,
    ResponseHeaders,
    hosts_and_origins,
)
from fast_zero.core.http.negotiation import prefers_html
from fast_zero.core.http.problems import ErrorHandler
from fast_zero.core.jobs import Context
from fast_zero.core.observability import logs, metrics
from fast_zero.core.observability.samples import Samples
from fast_zero.core.server import leave_with_parent
from fast_zero.core.settings import Settings, load_settings
from fast_zero.core.startup import completed, traced
from fast_zero.core.types import Message
from fast_zero.email_links import pages
from fast_zero.email_links import router as email_links
from fast_zero.exports import router as exports
from fast_zero.identity import router as identity
from fast_zero.identity.revocations import Revocations, followed
from fast_zero.notifications import router as notifications
from fast_zero.people import router as people
from fast_zero.posts import router as posts
from fast_zero.profiles import router as profiles
from fast_zero.sessions import router as sessions
from fast_zero.syndication import router as syndication
from fast_zero.timelines import router as timelines
from fast_zero.todos import router as todos
from fast_zero.two_factor import router as two_factor
from fast_zero.unsubscribe import router as unsubscribe

DESCRIPTION = """\
**Start** by registering at `POST /users`, then log in at `POST /auth/token` and send the token
as `Authorization: Bearer …`. A path works with and without its trailing slash.

**Pages**: lists return `next`, the cursor of the page that follows; pass it as `after`. It is
`null` at the end.

**Conditions**: `If-Match` with the `ETag` you read refuses to overwrite what others wrote since.
An `Idempotency-Key` makes it safe to send a `POST` again.

**Errors** are `application/problem+json` (RFC 9457): `code` is for programs, `detail` for people.
"""

TAGS = [
    {"name": "todos", "description": "Your todos. Nobody else sees them."},
    {"name": "users", "description": "Accounts: your own, and everyone's public profile."},
    {"name": "feed", "description": "What people show one another: posts, replies, likes."},
    {"name": "auth", "description": "Log-ins, their sessions, and tokens for programs."},
    {
        "name": "administration",
        "description": "The accounts and posts of others, for administrators.",
    },
    {"name": "health", "description": "For those who watch the server and route to it."},
    {"name": "home", "description": "A greeting, to see that the server answers."},
]


GREETING = "Olá Mundo!"

ROOMS = (
    todos,
    accounts,
    exports,
    posts,
    timelines,
    profiles,
    people,
    notifications,
    administration,
    sessions,
    identity,
    email_links,
    two_factor,
)
# Who passes on the address of a feed, or of a link in an email, may append parameters of their own.
PASSED_ON = (syndication, unsubscribe)

JOBS_BEGIN_SECONDS = 1  # the first one belongs to those who ask
JOBS_END_SECONDS = 2


class State(database.State):
    revocations: Revocations


def middleware(settings: Settings) -> list[Middleware]:
    """List the layers around the routes, the outermost first."""
    proxies, quota = settings.forwarded_allow_ips, settings.requests_per_minute
    return [
        *([Middleware(Forwarded, proxies)] if proxies else []),
        Middleware(AccessLog),
        Middleware(ResponseHeaders),
        *hosts_and_origins(settings),
        Middleware(Deadline, settings.request_timeout),
        Middleware(NormalizePath, settings.max_body_bytes),
        *([] if quota is None else [Middleware(RateLimit, quota)]),
        Middleware(ErrorHandler),
        Middleware(RequestBodyLimitMiddleware, settings.max_body_bytes),
    ]


def is_probe(scope: Scope) -> bool:
    """Tell of what is asked every few seconds, and not traced."""
    return str(scope["path"]) in PROBES


@asynccontextmanager
async def jobs_done(settings: Settings, state: database.State) -> AsyncIterator[None]:
    """Do the jobs beside the requests, unless the settings leave them to other processes."""

    async def work() -> None:
        await asyncio.sleep(JOBS_BEGIN_SECONDS)
        worker = await asyncio.to_thread(import_module, "fast_zero.worker")
        await worker.work(Context(settings, state["sessions"]))

    if not settings.run_jobs:
        yield
        return
    working = asyncio.create_task(work(), name="jobs")
    try:
        yield
    finally:
        working.cancel()
        # Its database may have fallen silent, and then would never let it end.
        await asyncio.wait([working], timeout=settings.shutdown_grace + JOBS_END_SECONDS)


@asynccontextmanager
async def observed(settings: Settings, state: database.State) -> AsyncIterator[None]:
    """Look at what the metrics tell, where somebody may ask for them."""
    if not settings.metrics_port:
        yield
        return
    async with metrics.sampled(Samples(state).look):
        yield


def create_worker_app() -> FastAPI:
    """Build the application in a process of its own, which has its own log to set up."""
    settings = load_settings()
    logs.configure(settings)
    return create_app(settings)


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the application; nothing is opened before its lifespan begins."""
    settings = settings or load_settings()

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[State]:
        with completed(settings) as complete, leave_with_parent(), traced(complete):
            async with (
                database.connected(complete) as state,
                followed(complete.direct_address()) as revocations,
                jobs_done(complete, state),
                observed(complete, state),
            ):
                with spared_collector():
                    yield State(**state, revocations=revocations)

    is_traced = bool(settings.otel_exporter_otlp_endpoint)
    app = FastAPI(
        title="fast_zero",
        summary="A self-hostable, asynchronous todo manager whose product is its API.",
        description=DESCRIPTION,
        version=fast_zero.__version__,
        license_info={"name": "MIT", "identifier": "MIT"},
        openapi_tags=TAGS,
        servers=openapi.SERVERS,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=openapi.operation_id,
        middleware=middleware(settings),
        responses=openapi.COMMON_RESPONSES,
        telemetry={
            "tracing": is_traced,
            "metrics": settings.sends_metrics(),
            "logs": False,  # they would quote what somebody sent
            "operation_spans": False,
            "exclude": is_probe,
        },
    )
    problems.install(app)
    exhausted = problems.responses(EXHAUSTED)
    for room in ROOMS:  # the first are found first
        app.include_router(room.router, responses=exhausted, dependencies=[KNOWN_PARAMETERS])
    for room in PASSED_ON:
        app.include_router(room.router, responses=exhausted)
    app.include_router(pages.router)
    app.include_router(health.router)  # a probe must not fail for what was added against caches
    openapi.install_pages(app)
    openapi.extend(app)

    @app.get(
        "/",
        tags=["home"],
        response_model=Message,
        responses=openapi.TO_DOCUMENTATION | examples.message(GREETING),
    )
    async def greet(request: Request, response: Response) -> Message | Response:
        """Say hello. In the language of fast_zero's first users; browsers are sent to `/docs`."""
        vary = {"Vary": "Accept"}
        if prefers_html(", ".join(request.headers.getlist("accept"))):
            return RedirectResponse("/docs", headers=vary)
        response.headers.update(vary)
        return Message(message=GREETING)

    return app
