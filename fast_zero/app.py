"""Builds the application from the rooms."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from http import HTTPStatus
from importlib import import_module

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import RedirectResponse
from starlette.middleware import Middleware
from starlette.types import Scope

import fast_zero
from fast_zero.accounts import router as accounts
from fast_zero.activity import router as activity
from fast_zero.administration import router as administration
from fast_zero.batches import router as batches
from fast_zero.calendar_feeds import router as calendar_feeds
from fast_zero.calendars import router as calendars
from fast_zero.change_sets import router as change_sets
from fast_zero.changes import router as changes
from fast_zero.core import database
from fast_zero.core.garbage_collection import gc_frozen
from fast_zero.core.http import examples, health, openapi, problems
from fast_zero.core.http.dependencies import KNOWN_PARAMETERS
from fast_zero.core.http.middleware.access_log import AccessLog
from fast_zero.core.http.middleware.body_limit import BodyLimit, BodyLimits
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
from fast_zero.core.startup import complete_settings, exporting_traces
from fast_zero.core.types import Message
from fast_zero.duplication import router as duplication
from fast_zero.email_links import pages
from fast_zero.email_links import router as email_links
from fast_zero.exports import router as exports
from fast_zero.identity import router as identity
from fast_zero.identity.revocations import Revocations, followed
from fast_zero.identity.scopes import Scope as TokenScope
from fast_zero.imports import router as imports
from fast_zero.labels import router as labels
from fast_zero.notifications import router as notifications
from fast_zero.occurrences import router as occurrences
from fast_zero.ordering import router as ordering
from fast_zero.people import router as people
from fast_zero.posts import router as posts
from fast_zero.profiles import router as profiles
from fast_zero.projects import router as projects
from fast_zero.push import router as push
from fast_zero.quick_add import router as quick_add
from fast_zero.reminders import router as reminders
from fast_zero.saved_filters import router as saved_filters
from fast_zero.search import router as search
from fast_zero.sessions import router as sessions
from fast_zero.summaries import router as summaries
from fast_zero.syndication import router as syndication
from fast_zero.timelines import router as timelines
from fast_zero.todos import router as todos
from fast_zero.trash import router as trash
from fast_zero.two_factor import router as two_factor
from fast_zero.unsubscribe import router as unsubscribe
from fast_zero.web import links
from fast_zero.web import router as web
from fast_zero.web.middleware import Pages

DESCRIPTION = """\
**Start** by registering at `POST /users`, then log in at `POST /auth/token` and send the token
as `Authorization: Bearer …`. A path works with and without its trailing slash.

**Pages**: lists return `next`, the cursor of the page that follows; pass it as `after`. It is
`null` at the end.

**Conditional requests**: send `If-Match` with the `ETag` that you read, and a change that somebody
else made in between is not overwritten. An `Idempotency-Key` makes it safe to retry a `POST`.

**Errors** are `application/problem+json` (RFC 9457): `code` is for programs, `detail` for people.
"""

TAGS = [
    {"name": "todos", "description": "Your todos. Nobody else can see them."},
    {"name": "projects", "description": "What todos are sorted into, and the sections of each."},
    {"name": "trash", "description": "What you deleted, until it is deleted for good."},
    {"name": "labels", "description": "Your labels, which you give to todos by their names."},
    {"name": "filters", "description": "Filters of todos that you saved."},
    {
        "name": "changes",
        "description": "What changed: for people, and for clients that keep a copy.",
    },
    {"name": "users", "description": "Your own account, and the public profiles of all users."},
    {"name": "feed", "description": "Posts, replies, likes, timelines and notifications."},
    {"name": "auth", "description": "Log-ins, sessions, and personal access tokens."},
    {
        "name": "administration",
        "description": "Manage the accounts and posts of other users. For administrators.",
    },
    {"name": "health", "description": "Health checks for monitoring and load balancers."},
    {"name": "home", "description": "A greeting, to check that the server responds."},
]


GREETING = "Olá Mundo!"

ROOMS = (
    duplication,
    summaries,
    batches,
    quick_add,
    ordering,
    occurrences,
    labels,
    saved_filters,
    search,
    todos,
    reminders,
    changes,
    change_sets,
    activity,
    projects,
    trash,
    accounts,
    calendar_feeds,
    exports,
    imports,
    posts,
    timelines,
    profiles,
    people,
    notifications,
    push,
    administration,
    sessions,
    identity,
    email_links,
    two_factor,
)
# Feed readers, calendar apps and mail programs may append parameters of their own to these URLs.
ROOMS_WITH_SHARED_LINKS = (syndication, calendars, unsubscribe)

JOBS_BEGIN_SECONDS = 1  # requests have the first second to themselves
JOBS_END_SECONDS = 2


home = APIRouter()


class State(database.State):
    revocations: Revocations


def middleware(settings: Settings) -> list[Middleware]:
    """List the middleware, the outermost first."""
    proxies, quota = settings.forwarded_allow_ips, settings.requests_per_minute
    limits = BodyLimits(
        settings.max_body_bytes,
        dict.fromkeys((imports.PATH, links.IMPORTS), settings.max_import_bytes),
    )
    return [
        *([Middleware(Forwarded, proxies)] if proxies else []),
        Middleware(AccessLog),
        Middleware(ResponseHeaders),
        *hosts_and_origins(settings),
        *([Middleware(Pages)] if settings.web else []),
        Middleware(Deadline, settings.request_timeout),
        Middleware(NormalizePath, limits),
        *([] if quota is None else [Middleware(RateLimit, quota)]),
        Middleware(ErrorHandler),
        Middleware(BodyLimit, limits),
    ]


def is_probe(scope: Scope) -> bool:
    """Whether a request is one of a health check: those are too frequent to be traced."""
    return str(scope["path"]) in PROBES


@asynccontextmanager
async def background_jobs(settings: Settings, state: database.State) -> AsyncIterator[None]:
    """Run the jobs in this process, unless the settings leave them to other processes."""

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
        # With a timeout: if the database has stopped responding, the task would never end.
        await asyncio.wait([working], timeout=settings.shutdown_grace + JOBS_END_SECONDS)


@asynccontextmanager
async def metrics_sampling(settings: Settings, state: database.State) -> AsyncIterator[None]:
    """Sample the metrics that are not counted at requests, if there is a metrics port."""
    if not settings.metrics_port:
        yield
        return
    async with metrics.sampled(Samples(state).collect):
        yield


def create_worker_app() -> FastAPI:
    """Build the application in a worker process, which configures its own log."""
    settings = load_settings()
    logs.configure(settings)
    return create_app(settings)


def lifespan_of(settings: Settings) -> Callable[[FastAPI], AbstractAsyncContextManager[State]]:
    """Open the database, follow revocations, and run the jobs while the application runs."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[State]:
        with (
            complete_settings(settings) as complete,
            leave_with_parent(),
            exporting_traces(complete),
        ):
            async with (
                database.connected(complete) as state,
                followed(complete.direct_address()) as revocations,
                background_jobs(complete, state),
                metrics_sampling(complete, state),
            ):
                with gc_frozen():
                    yield State(**state, revocations=revocations)

    return lifespan


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the application. Nothing is opened before its lifespan begins."""
    settings = settings or load_settings()
    is_traced = bool(settings.otel_exporter_otlp_endpoint)
    app = FastAPI(
        title="fast_zero",
        summary="A self-hostable, asynchronous todo manager whose product is its API.",
        description=DESCRIPTION,
        version=fast_zero.__version__,
        license_info={"name": "MIT", "identifier": "MIT"},
        openapi_tags=TAGS,
        servers=openapi.SERVERS,
        lifespan=lifespan_of(settings),
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=openapi.operation_id,
        middleware=middleware(settings),
        responses=openapi.COMMON_RESPONSES,
        telemetry={
            "tracing": is_traced,
            "metrics": settings.sends_metrics(),
            "logs": False,  # they would contain request data
            "operation_spans": False,
            "exclude": is_probe,
        },
    )
    problems.install(app)
    if settings.web:
        app.include_router(web.router)
    include_routers(app)
    return app


def include_routers(app: FastAPI) -> None:
    exhausted = problems.responses(EXHAUSTED)
    for room in ROOMS:  # routes are matched in this order
        app.include_router(room.router, responses=exhausted, dependencies=[KNOWN_PARAMETERS])
    for room in ROOMS_WITH_SHARED_LINKS:
        app.include_router(room.router, responses=exhausted)
    app.include_router(pages.router)
    app.include_router(
        health.router
    )  # no KNOWN_PARAMETERS: a probe may add a parameter against caches
    openapi.install_pages(app)
    openapi.extend(app, TokenScope.TODOS_WRITE)
    app.include_router(home)


@home.get(
    "/",
    tags=["home"],
    response_model=Message,
    responses=openapi.TO_PAGE | examples.message(GREETING),
)
async def greet(request: Request, response: Response) -> Message | Response:
    """Say hello. The greeting is in Portuguese; browsers are redirected to a page."""
    vary = {"Vary": "Accept"}
    if prefers_html(", ".join(request.headers.getlist("accept"))):
        address = links.APP if request.state.settings.web else "/docs"
        return RedirectResponse(address, HTTPStatus.SEE_OTHER, headers=vary)
    response.headers.update(vary)
    return Message(message=GREETING)
