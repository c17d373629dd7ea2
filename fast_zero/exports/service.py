"""Writes an export page by page: it holds one page in memory, and no connection in between."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from fast_zero.accounts.schemas import UserPrivate
from fast_zero.calendar_feeds import queries as calendar_feed_queries
from fast_zero.calendar_feeds.schemas import CalendarFeedPublic
from fast_zero.core.database import Session, Sessions, transaction
from fast_zero.core.errors import INVALID_TOKEN, Unauthenticated
from fast_zero.core.pagination import PageParams, split_page
from fast_zero.exports import queries
from fast_zero.exports.schemas import (
    CompletionPublic,
    ExportHead,
    GivenLike,
    LoggedChange,
    RelatedTodos,
    Relation,
    TodoOccurrences,
    WrittenPost,
)
from fast_zero.identity import queries as identity_queries
from fast_zero.identity.schemas import AuditPublic, PersonalTokenPublic
from fast_zero.imports import queries as import_queries
from fast_zero.imports.schemas import ImportPublic
from fast_zero.labels import queries as label_queries
from fast_zero.labels.schemas import LabelPublic
from fast_zero.notifications import queries as news_queries
from fast_zero.notifications.schemas import NotificationParams, NotificationPublic
from fast_zero.projects import queries as project_queries
from fast_zero.projects.schemas import ProjectFilter, ProjectPublic, SectionPublic
from fast_zero.push import queries as push_queries
from fast_zero.push.schemas import PushSubscriptionPublic
from fast_zero.saved_filters import queries as filter_queries
from fast_zero.saved_filters.schemas import SavedFilterPublic
from fast_zero.search.filters import TodoFilter
from fast_zero.search.queries import select_todos
from fast_zero.sessions import queries as session_queries
from fast_zero.sessions.schemas import SessionPublic
from fast_zero.todos.schemas import TodoPublic
from fast_zero.trash import queries as trash_queries
from fast_zero.trash.schemas import DeletionPublic
from fast_zero.two_factor import queries as two_factor_queries
from fast_zero.two_factor.schemas import OtpState

PAGE = 100  # rows; with the longest todos, about two megabytes

Select = Callable[[Session, int, Any], Awaitable[Sequence[Any]]]

# The name in the export, the schema of a row, the query, and the class of its page parameters.
LISTS: tuple[tuple[str, type[BaseModel], Select, type[PageParams]], ...] = (
    ("sessions", SessionPublic, session_queries.select_sessions, PageParams),
    ("personal_tokens", PersonalTokenPublic, identity_queries.select_personal_tokens, PageParams),
    ("audit", AuditPublic, identity_queries.select_audit, PageParams),
    ("projects", ProjectPublic, project_queries.select_projects, ProjectFilter),
    ("sections", SectionPublic, queries.select_all_sections, PageParams),
    ("trash", DeletionPublic, trash_queries.select_deletions, PageParams),
    ("deleted_projects", ProjectPublic, queries.select_deleted_projects, PageParams),
    ("deleted_todos", TodoPublic, queries.select_deleted_todos, PageParams),
    ("todos", TodoPublic, select_todos, TodoFilter),
    ("labels", LabelPublic, label_queries.select_labels, PageParams),
    ("filters", SavedFilterPublic, filter_queries.select_filters, PageParams),
    ("relations", RelatedTodos, queries.select_relations, PageParams),
    ("occurrences", TodoOccurrences, queries.select_occurrences, PageParams),
    ("completions", CompletionPublic, queries.select_completions, PageParams),
    ("posts", WrittenPost, queries.select_posts, PageParams),
    ("likes", GivenLike, queries.select_likes, PageParams),
    ("following", Relation, queries.select_following, PageParams),
    ("followers", Relation, queries.select_followers, PageParams),
    ("blocked", Relation, queries.select_blocked, PageParams),
    ("notifications", NotificationPublic, news_queries.select_page, NotificationParams),
    ("push_subscriptions", PushSubscriptionPublic, push_queries.select_subscriptions, PageParams),
    ("imports", ImportPublic, import_queries.select_imports, PageParams),
    ("changes", LoggedChange, queries.select_changes, PageParams),
)


async def read_head(session: Session, user_id: int, now: datetime) -> ExportHead:
    user = await identity_queries.select_user(session, user_id)
    factor = await two_factor_queries.select_state(session, user_id)
    feed = await calendar_feed_queries.select_feed(session, user_id)
    if user is None:
        raise Unauthenticated(INVALID_TOKEN)
    return ExportHead(
        exported_at=now,
        account=UserPrivate.model_validate(user),
        second_factor=OtpState.of(factor),
        calendar_feed=feed and CalendarFeedPublic.model_validate(feed),
    )


async def write(sessions: Sessions, user_id: int, head: ExportHead) -> AsyncIterator[str]:
    """Yield the JSON of an export in parts."""
    yield head.model_dump_json().removesuffix("}")
    for name, shape, select, params in LISTS:
        yield f',"{name}":['
        separator = ""
        async for rows in pages(sessions, user_id, select, params):
            shown = [shape.model_validate(row).model_dump_json() for row in rows]
            if shown:
                yield separator + ",".join(shown)
                separator = ","
        yield "]"
    yield "}"


async def pages(
    sessions: Sessions, user_id: int, select: Select, params: type[PageParams]
) -> AsyncIterator[Sequence[Any]]:
    place: dict[str, str] = {}
    while True:
        page = params.model_validate({"limit": PAGE, **place})
        async with transaction(sessions) as session:
            found = await select(session, user_id, page)
        rows, cursor = split_page(found, page)
        yield rows
        if cursor is None:
            return
        place = {"after": cursor}
