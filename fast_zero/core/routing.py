"""The routes of a room, made so that the application can take them as they are.

`include_router` would keep the router beside them and look for a route in it twice, at each
request. Taken one by one they are met in one pass, in the order of the rooms.
"""

import inspect
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

from fastapi import APIRouter, Request, Response
from fastapi.datastructures import DefaultPlaceholder
from fastapi.dependencies.models import Dependant
from fastapi.params import Body
from fastapi.routing import APIRoute, request_response, serialize_response
from fastapi.security import SecurityScopes
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from fast_zero.core.budget import EXHAUSTED
from fast_zero.core.conditions import JSON
from fast_zero.core.openapi import COMMON_RESPONSES, operation_id
from fast_zero.core.problems import Responses, responses


@dataclass(frozen=True)
class Call:
    """A coroutine function that wants to know the request, constants, and what others give."""

    function: Callable[..., Awaitable[Any]]
    takes_request: tuple[str, ...]
    constants: dict[str, object]
    needs: tuple[tuple[str | None, "Call"], ...]

    async def answer(self, request: Request, arguments: dict[str, object]) -> Any:  # noqa: ANN401  # any function's
        arguments.update(self.constants)
        for name in self.takes_request:
            arguments[name] = request
        for place, needed in self.needs:
            value = await needed.answer(request, {})
            if place:
                arguments[place] = value
        return await self.function(**arguments)


class Route(APIRoute):
    """A route that is short for a request in which all is right.

    FastAPI reads from its description of a route, at each request, what could be of any kind, and
    holds contexts open for what has to be closed: half of the time of an answer that takes one
    statement. What most routes need is known beforehand: coroutine functions that take the request
    or one another, parts of the path, and a body of JSON, which pydantic reads in one step.

    A request with which anything is wrong goes FastAPI's own way, as does a route of another kind;
    so it is FastAPI that says what is wrong, and nothing has happened before.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:  # noqa: ANN401  # FastAPI's
        super().__init__(path, endpoint, **options)
        self.usual = self.get_route_handler()
        self.call = call_of(self.dependant) if is_plain(self) else None
        if self.call:
            self.app = self.answer
        self.start = self.path.partition("{")[0]

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Look at how the path begins first: most routes are not the one."""
        if scope["path"].startswith(self.start) or scope.get("root_path"):
            return super().matches(scope)
        return Match.NONE, {}

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        response = await self.respond(request)
        if response:
            await response(scope, receive, send)
            return

        async def respond(_: Request) -> Response:
            return await self.usual(request)  # which may have been read already

        await request_response(respond)(scope, receive, send)

    async def respond(self, request: Request) -> Response | None:
        arguments = await self.read(request)
        if arguments is None or self.call is None:
            return None
        answer = await self.call.answer(request, arguments)
        if isinstance(answer, Response):
            return answer
        content = await serialize_response(
            field=self.response_field, response_content=answer, dump_json=True
        )
        return Response(content, self.status_code or 200, media_type=JSON)

    async def read(self, request: Request) -> dict[str, object] | None:
        """Read path and body; none where something is wrong with them."""
        arguments: dict[str, object] = {}
        for field in self.dependant.path_params:
            arguments[field.name], errors = field.validate(request.path_params[field.alias])
            if errors:
                return None
        for field in self.dependant.body_params:
            if request.headers.get("content-type") != JSON:
                return None
            model = cast("type[BaseModel]", field.field_info.annotation)
            try:
                arguments[field.name] = model.model_validate_json(await request.body())
            except (ValidationError, ClientDisconnect):
                return None
        return arguments


def is_plain(route: APIRoute) -> bool:
    """Tell whether all that a route asks for and answers is of the kinds that `Route` knows."""
    return asks_plainly(route) and reads_plainly(route) and answers_plainly(route)


def asks_plainly(route: APIRoute) -> bool:
    asked = list(asked_by(route.dependant))
    functions = {dependant.call for dependant in asked}
    # One that is needed twice would be asked twice.
    return len(functions) == len(asked) and all(map(is_known, asked))


def asked_by(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for needed in dependant.dependencies:
        yield from asked_by(needed)


def is_known(dependant: Dependant) -> bool:
    function = dependant.call
    is_coroutine = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004  # an object with a coroutine of its own
    )
    return is_coroutine and not (
        dependant.query_params
        or dependant.header_params
        or dependant.cookie_params
        or dependant.response_param_name
        or dependant.background_tasks_param_name
        or dependant.websocket_param_name
    )


def reads_plainly(route: APIRoute) -> bool:
    """Tell whether a body is one model, and dependencies read neither it nor the path."""
    needed = [one for first in route.dependant.dependencies for one in asked_by(first)]
    bodies = route.dependant.body_params
    return (
        not any(one.path_params or one.body_params for one in needed)
        and bodies in ([], [route.body_field])
        and all(type(body.field_info) is Body for body in bodies)
        and all(is_a(BaseModel, body.field_info.annotation) for body in bodies)
    )


def is_a(parent: type, kind: object) -> bool:
    return inspect.isclass(kind) and issubclass(kind, parent)


def answers_plainly(route: APIRoute) -> bool:
    answers_itself = is_a(Response, inspect.signature(route.endpoint).return_annotation)
    leaves_out = (
        route.response_model_include
        or route.response_model_exclude
        or route.response_model_exclude_unset
        or route.response_model_exclude_defaults
        or route.response_model_exclude_none
        or not route.response_model_by_alias
    )
    return (
        isinstance(route.response_class, DefaultPlaceholder)
        and not leaves_out
        and (answers_itself or route.response_field is not None)
    )


def call_of(dependant: Dependant) -> Call:
    scopes = [*(dependant.parent_oauth_scopes or ()), *(dependant.own_oauth_scopes or ())]
    names = (dependant.request_param_name, dependant.http_connection_param_name)
    wanted = dependant.security_scopes_param_name
    return Call(
        cast("Callable[..., Awaitable[Any]]", dependant.call),
        tuple(name for name in names if name),
        {wanted: SecurityScopes(list(dict.fromkeys(scopes)))} if wanted else {},
        tuple((needed.name, call_of(needed)) for needed in dependant.dependencies),
    )


def room(
    prefix: str = "", *tags: str, answers: Responses | None = None, budgeted: bool = True
) -> APIRouter:
    """Make a room's router. `answers` are what all of its routes may answer."""
    return APIRouter(
        prefix=prefix,
        tags=list(tags),
        responses=COMMON_RESPONSES | (responses(EXHAUSTED) if budgeted else {}) | (answers or {}),
        generate_unique_id_function=operation_id,
        route_class=Route,
    )
