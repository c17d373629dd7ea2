"""The page's routes. None is in the OpenAPI document: they are for browsers, and may change."""

from fastapi import APIRouter

from fast_zero.web import static_files
from fast_zero.web.pages import acts, auth, email_links, lists, registration

PAGES = (
    acts,
    auth,
    email_links,
    lists,
    registration,
)

router = APIRouter(include_in_schema=False)
router.include_router(static_files.router)
for page in PAGES:
    router.include_router(page.router)
