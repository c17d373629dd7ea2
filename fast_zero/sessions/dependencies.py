"""What log-ins of the API and of the page share."""

from fastapi import Request

from fast_zero.identity.dependencies import address_of
from fast_zero.sessions.service import Client

USER_AGENT_LENGTH = 300  # characters; the rest is cut off


def client_of(request: Request) -> Client:
    return Client(
        user_agent=request.headers.get("user-agent", "").replace("\x00", "")[:USER_AGENT_LENGTH],
        address=address_of(request),
    )
