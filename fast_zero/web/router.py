"""The page's routes. None is in the OpenAPI document: they are for browsers, and may change."""

from fastapi import APIRouter

from fast_zero.web import static_files
from fast_zero.web.pages import changes, installing, keys
from fast_zero.web.pages.accounts import (
    administration,
    auth,
    data,
    email_links,
    messages,
    registration,
    security,
    settings,
    tokens,
)
from fast_zero.web.pages.people import feed, notifications, people, posts
from fast_zero.web.pages.places import filters, labels, projects, search
from fast_zero.web.pages.todos import acts, lists, quick_add, todo, todo_parts, trash

PAGES = (
    changes, installing, keys,
    acts, lists, quick_add, todo, todo_parts, trash,
    filters, labels, projects, search,
    feed, notifications, people, posts,
    administration, auth, data, email_links, messages, registration, security, settings, tokens,
)  # fmt: skip

router = APIRouter(include_in_schema=False)
router.include_router(static_files.router)
for page in PAGES:
    router.include_router(page.router)
