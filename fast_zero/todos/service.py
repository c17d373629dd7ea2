from fast_zero.core.database import PreparedRow, Session
from fast_zero.core.errors import DomainError, NotFound, Reason
from fast_zero.core.http import etags
from fast_zero.core.http.etags import Versions
from fast_zero.todos import metrics, queries
from fast_zero.todos.schemas import TodoCreate, TodoPublic, TodoUpdate

NOT_FOUND = Reason("todo_not_found", "Task not found.")


async def create_todo(session: Session, user_id: int, new: TodoCreate) -> TodoPublic:
    todo = await queries.insert_todo(session, user_id, new)
    metrics.CREATED.inc()
    return TodoPublic.model_validate(todo)


async def update_todo(
    session: Session, user_id: int, todo_id: int, change: TodoUpdate, accepted: Versions
) -> PreparedRow:
    todo = await queries.update_todo(session, user_id, todo_id, change, accepted)
    if todo is None:
        raise await refusal(session, user_id, todo_id, accepted)
    metrics.UPDATED.inc()
    return todo


async def delete_todo(session: Session, user_id: int, todo_id: int, accepted: Versions) -> None:
    if not await queries.delete_todo(session, user_id, todo_id, accepted):
        raise await refusal(session, user_id, todo_id, accepted)
    metrics.DELETED.inc()


async def refusal(session: Session, user_id: int, todo_id: int, accepted: Versions) -> DomainError:
    """Return why a write found no row. Without a condition, the todo does not exist."""
    todo = None if accepted is None else await queries.select_todo(session, user_id, todo_id)
    return etags.refusal(NotFound(NOT_FOUND), None if todo is None else todo["version"])
