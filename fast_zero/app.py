"""Where the rooms are plugged together into one application."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module

from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

import fast_zero
from fast_zero.accounts import auth_router as auth
from fast_zero.accounts import link_router as links
from fast_zero.accounts import otp_router as otp
from fast_zero.accounts import pages
from fast_zero.accounts import router as accounts
from fast_zero.accounts.revocations import Revocations, followed
from fast_zero.administration import router as administration
from fast_zero.core import database, health, logs, metrics, openapi, problems
from fast_zero.core.budget import Budgeted
from fast_zero.core.caching import PrivateAnswers
from fast_zero.core.collector import spared_collector
from fast_zero.core.deadline import Deadline
from fast_zero.core.entrance import Entrance
from fast_zero.core.forwarded import Forwarded
from fast_zero.core.headers import PROBES, guarded
from fast_zero.core.jobs import Context
from fast_zero.core.negotiation import prefers_html
from fast_zero.core.observing import Observed
from fast_zero.core.samples import Samples
from fast_zero.core.server import leave_with_parent
from fast_zero.core.settings import Settings, load_settings
from fast_zero.core.spans import Draw, share_of_requests
from fast_zero.core.standby import reading
from fast_zero.core.startup import completed, traced
from fast_zero.core.types import Message
from fast_zero.exports import router as exports
from fast_zero.feed import people_router as people
from fast_zero.feed import router as feed
from fast_zero.feed import syndication_router as syndication
from fast_zero.news import letters_router as unsubscribing
from fast_zero.news import router as news
from fast_zero.todos import router as todos

DESCRIPTION = """\
**Start** by registering at `POST /users`, then log in at `POST /auth/token` and send the token
as `Authorization: Bearer …`. A path works with and without its trailing slash.

**Pages**: lists answer `next`, the cursor of the page that follows; pass it as `after`. It is
`null` at the end.

**Conditions**: `If-Match` with the `ETag` you read refuses to overwrite what others wrote since.
An `Idempotency-Key` makes it safe to send a `POST` again.

**Errors** are `application/problem+json` (RFC 9457); `detail` says what is wrong.
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


JOBS_BEGIN_SECONDS = 1  # the first one belongs to those who ask
JOBS_END_SECONDS = 2


class State(database.State):
    reads: database.Autocommit
    revocations: Revocations


class FastZero(FastAPI):
    """FastAPI with an entrance in front and the problem schemas in its document."""

    settings: Settings
    draw: Draw

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Marked so, a request passes FastAPI's telemetry by. `exclude` among its settings does it,
        # too, but costs each request that is left out as much as a line of the log.
        if scope["type"] == "http" and (
            scope["path"] in PROBES or self.draw.leaves_out(scope["headers"])
        ):
            scope["fastapi.telemetry"] = None
        await super().__call__(scope, receive, send)

    def build_middleware_stack(self) -> ASGIApp:
        application = problems.Composure(super().build_middleware_stack())
        entrance = Entrance(application, self.settings.max_body_bytes)
        guard = guarded(Deadline(entrance, self.settings.request_timeout), self.settings)
        stack = Observed(guard)
        proxies = self.settings.forwarded_allow_ips
        return Forwarded(stack, proxies) if proxies else stack

    def openapi(self) -> dict[str, object]:
        if self.openapi_schema is None:
            document = super().openapi()
            openapi.add_problem_schemas(document)
            openapi.add_parameters(document, self.routes)
        return super().openapi()


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
    async with metrics.sampled(Samples(state["autocommit"]).look):
        yield


def create_worker_app() -> FastZero:
    """Build the application in a process of its own, which has its own log to set up."""
    settings = load_settings()
    logs.configure(settings)
    return create_app(settings)


def create_app(settings: Settings | None = None) -> FastZero:
    """Build the application; nothing is opened before its lifespan begins."""
    settings = settings or load_settings()

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[State]:
        with completed(settings) as complete, leave_with_parent(), traced(complete):
            async with (
                database.connected(complete) as state,
                reading(complete, state["autocommit"]) as reads,
                followed(complete.direct_address()) as revocations,
                jobs_done(complete, state),
                observed(complete, state),
            ):
                with spared_collector():
                    yield State(**state, reads=reads, revocations=revocations)

    is_traced = bool(settings.otel_exporter_otlp_endpoint)
    app = FastZero(
        title="fast_zero",
        summary="A self-hostable, asynchronous todo manager whose product is its API.",
        description=DESCRIPTION,
        version=fast_zero.__version__,
        license_info={"name": "MIT", "identifier": "MIT"},
        openapi_tags=TAGS,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=openapi.operation_id,
        responses=openapi.COMMON_RESPONSES,
        telemetry={
            "tracing": is_traced,
            "metrics": settings.sends_metrics(),
            "logs": False,  # they would quote what somebody sent
            "operation_spans": False,
        },
    )
    app.settings = settings
    app.draw = Draw(share_of_requests(with_metrics=settings.sends_metrics()) if is_traced else 1)
    # Once, and not around each router as well, as FastAPI's own setting has it.
    app.add_middleware(RequestBodyLimitMiddleware, max_body_size=settings.max_body_bytes)
    if settings.requests_per_minute is not None:
        app.add_middleware(Budgeted, settings.requests_per_minute)
    app.add_middleware(PrivateAnswers)
    problems.install(app)
    # As they are, and not by `include_router`: see `core.routing`. The first are found first.
    social = (feed, people, syndication, news, unsubscribing)
    for room in (
        todos,
        accounts,
        exports,
        *social,
        administration,
        auth,
        links,
        otp,
        pages,
        health,
    ):
        app.router.routes.extend(room.router.routes)
    openapi.install_pages(app)

    @app.get("/", tags=["home"], response_model=Message, responses=openapi.TO_DOCUMENTATION)
    async def greet(request: Request, response: Response) -> Message | Response:
        """Say hello, in the language of fast_zero's first users; send browsers to `/docs`."""
        vary = {"Vary": "Accept"}
        if prefers_html(", ".join(request.headers.getlist("accept"))):
            return RedirectResponse("/docs", headers=vary)
        response.headers.update(vary)
        return Message(message="Olá Mundo!")

    return app
