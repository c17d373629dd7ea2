"""The page's routes. None is in the OpenAPI document: they are for browsers, and may change."""

from fastapi import APIRouter

from fast_zero.web import static_files
from fast_zero.web.pages import (
    acts,
    administration,
    auth,
    changes,
    data,
    email_links,
    feed,
    filters,
    installing,
    keys,
    labels,
    lists,
    messages,
    notifications,
    people,
    posts,
    projects,
    quick_add,
    registration,
    search,
    security,
    settings,
    todo,
    todo_parts,
    tokens,
    trash,
)

PAGES = (
    acts,
    administration,
    auth,
    changes,
    data,
    email_links,
    feed,
    filters,
    installing,
    keys,
    labels,
    lists,
    messages,
    notifications,
    people,
    posts,
    projects,
    quick_add,
    registration,
    search,
    security,
    settings,
    todo,
    todo_parts,
    tokens,
    trash,
)

router = APIRouter(include_in_schema=False)
router.include_router(static_files.router)
for page in PAGES:
    router.include_router(page.router)
