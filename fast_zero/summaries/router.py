from fastapi import APIRouter

from fast_zero.core.http.dependencies import ReadSession
from fast_zero.identity.dependencies import NEEDS_TOKEN, TodoReader
from fast_zero.summaries import service
from fast_zero.summaries.schemas import Summary

router = APIRouter(prefix="/todos", tags=["todos"], responses=NEEDS_TOKEN)


@router.get("/summary", response_model=Summary)
async def read_summary(user: TodoReader, session: ReadSession) -> object:
    """Count your open todos, by day, project, label and filter.

    Days are those of the time zone of your account.
    """
    return await service.read_summary(session, user.id)
