"""The unsubscribe link: a page for people, and one-click for mail programs (RFC 8058)."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from fast_zero.core.errors import NotFound, Reason
from fast_zero.core.http.dependencies import CurrentSession, CurrentSettings
from fast_zero.core.http.pages import Chosen, Texts, show
from fast_zero.core.http.problems import responses
from fast_zero.core.types import RawText
from fast_zero.notifications import reports, unsubscribe_links

UNKNOWN = Reason("link_not_valid", "This link is none of ours, or its key has been replaced.")
PAGE: Texts = {
    "en": {
        "title": "Stop these emails",
        "button": "Stop them",
        "204": "You will get no more emails of this kind. You can close this page.",
        "404": "This link does not work. Log in and change which emails you want.",
        "other": "That did not work. Try again in a moment.",
    },
    "pt-BR": {
        "title": "Não receber mais estes e-mails",
        "button": "Não receber mais",
        "204": "Você não receberá mais e-mails deste tipo. Você pode fechar esta página.",
        "404": "Este link não funciona. Entre e mude quais e-mails você quer.",
        "other": "Não funcionou. Tente de novo daqui a pouco.",
    },
}

router = APIRouter(tags=["users"])


@router.get(unsubscribe_links.PATH, response_class=HTMLResponse)
async def unsubscribe_page(request: Request, lang: Chosen = None) -> HTMLResponse:
    """Show a page to unsubscribe. Opening it changes nothing; its button does."""
    return show(PAGE, "", request, lang)


@router.post(
    unsubscribe_links.PATH,
    status_code=HTTPStatus.NO_CONTENT,
    responses=responses(NotFound(UNKNOWN)),
)
async def stop_letters(
    token: Annotated[RawText, Query(max_length=1024, description="The token of the link.")],
    session: CurrentSession,
    settings: CurrentSettings,
) -> None:
    """Unsubscribe with the link in an email. Idempotent."""
    about = unsubscribe_links.read(settings, token)
    if about is None:
        raise NotFound(UNKNOWN)
    await reports.unsubscribe(session, *about)
