"""The routes of an application."""

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

FOR_PEOPLE = ("/app", "/static/", "/account/{name}")
"""The paths of the page, which `tests/web` looks at."""


def operations(app: FastAPI) -> set[tuple[str, str]]:
    """Return method and path of each route of the API."""
    return {
        (method, route.path)
        for route in iter_route_contexts(app.routes)
        if isinstance(route.original_route, APIRoute) and not route.path.startswith(FOR_PEOPLE)
        for method in route.methods
    }
