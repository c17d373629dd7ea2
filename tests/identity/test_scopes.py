"""Every route with every scope, and every route with ids of another user."""

from uuid import UUID

import pytest

from fast_zero.core import security
from fast_zero.core.types import MAX_BIGINT
from fast_zero.identity.scopes import Scope
from fast_zero.models import Deletion, Notification, User
from tests.core.expect import problem
from tests.factories import (
    PASSWORD,
    LabelFactory,
    LoginSessionFactory,
    PersonalTokenFactory,
    PostFactory,
    ProjectFactory,
    SavedFilterFactory,
    SectionFactory,
    TodoFactory,
    UserFactory,
    new_token,
)
from tests.routes import operations

PUBLIC = None
ANY = ""
REQUIRED_SCOPES = {
    ("GET", "/"): PUBLIC,
    ("GET", "/docs"): PUBLIC,
    ("GET", "/redoc"): PUBLIC,
    ("GET", "/docs/assets/redoc.standalone.js"): PUBLIC,
    ("GET", "/livez"): PUBLIC,
    ("GET", "/readyz"): PUBLIC,
    ("GET", "/version"): PUBLIC,
    ("POST", "/users"): PUBLIC,
    ("GET", "/users"): PUBLIC,
    ("GET", "/users/{user_id}"): PUBLIC,
    ("GET", "/users/by-name/{username}"): PUBLIC,
    ("GET", "/users/{username}/feed.atom"): PUBLIC,
    ("GET", "/users/{username}/feed.json"): PUBLIC,
    ("GET", "/letters/unsubscribe"): PUBLIC,
    ("POST", "/letters/unsubscribe"): PUBLIC,
    ("GET", "/calendars/{secret}.ics"): PUBLIC,
    ("POST", "/auth/token"): PUBLIC,
    ("GET", "/account/confirm"): PUBLIC,
    ("GET", "/account/password"): PUBLIC,
    ("GET", "/account/register"): PUBLIC,
    ("POST", "/auth/email/confirm"): PUBLIC,
    ("POST", "/auth/password/forgotten"): PUBLIC,
    ("POST", "/auth/password/reset"): PUBLIC,
    ("POST", "/users/me/email/verification"): Scope.ACCOUNT_WRITE,
    ("POST", "/auth/refresh_token"): ANY,
    ("POST", "/auth/logout"): ANY,
    ("GET", "/users/me"): Scope.ACCOUNT_READ,
    ("GET", "/users/me/audit"): Scope.ACCOUNT_READ,
    ("GET", "/users/me/export"): (Scope.ACCOUNT_READ, Scope.TODOS_READ, Scope.FEED_READ),
    ("GET", "/users/me/export/todos.csv"): Scope.TODOS_READ,
    ("GET", "/users/me/export/todos.ics"): Scope.TODOS_READ,
    ("PUT", "/users/me/calendar-feed"): (Scope.ACCOUNT_WRITE, Scope.TODOS_READ),
    ("GET", "/users/me/calendar-feed"): Scope.ACCOUNT_READ,
    ("DELETE", "/users/me/calendar-feed"): Scope.ACCOUNT_WRITE,
    ("PATCH", "/users/me"): Scope.ACCOUNT_WRITE,
    ("PUT", "/users/{user_id}"): Scope.ACCOUNT_WRITE,
    ("DELETE", "/users/{user_id}"): Scope.ACCOUNT_WRITE,
    ("GET", "/auth/sessions"): Scope.ACCOUNT_READ,
    ("DELETE", "/auth/sessions"): Scope.ACCOUNT_WRITE,
    ("DELETE", "/auth/sessions/{session_id}"): Scope.ACCOUNT_WRITE,
    ("GET", "/auth/tokens"): Scope.ACCOUNT_READ,
    ("GET", "/auth/tokens/{token_id}"): Scope.ACCOUNT_READ,
    ("POST", "/auth/tokens"): Scope.ACCOUNT_WRITE,
    ("DELETE", "/auth/tokens/{token_id}"): Scope.ACCOUNT_WRITE,
    ("GET", "/auth/otp"): Scope.ACCOUNT_READ,
    ("POST", "/auth/otp"): Scope.ACCOUNT_WRITE,
    ("POST", "/auth/otp/confirm"): Scope.ACCOUNT_WRITE,
    ("POST", "/auth/otp/recovery_codes"): Scope.ACCOUNT_WRITE,
    ("POST", "/auth/otp/disable"): Scope.ACCOUNT_WRITE,
    ("GET", "/todos"): Scope.TODOS_READ,
    ("GET", "/todos/{todo_id}"): Scope.TODOS_READ,
    ("POST", "/todos"): Scope.TODOS_WRITE,
    ("POST", "/todos/batch"): Scope.TODOS_WRITE,
    ("POST", "/todos/quick"): Scope.TODOS_WRITE,
    ("PATCH", "/todos/{todo_id}"): Scope.TODOS_WRITE,
    ("DELETE", "/todos/{todo_id}"): Scope.TODOS_WRITE,
    ("POST", "/todos/{todo_id}/complete"): Scope.TODOS_WRITE,
    ("POST", "/todos/{todo_id}/snooze"): Scope.TODOS_WRITE,
    ("POST", "/todos/{todo_id}/skip"): Scope.TODOS_WRITE,
    ("GET", "/todos/{todo_id}/occurrences"): Scope.TODOS_READ,
    ("DELETE", "/todos/{todo_id}/occurrences/{day}"): Scope.TODOS_WRITE,
    ("GET", "/occurrences"): Scope.TODOS_READ,
    ("POST", "/todos/{todo_id}/restore"): Scope.TODOS_WRITE,
    ("POST", "/todos/{todo_id}/move"): Scope.TODOS_WRITE,
    ("POST", "/todos/{todo_id}/duplicate"): Scope.TODOS_WRITE,
    ("GET", "/todos/summary"): Scope.TODOS_READ,
    ("GET", "/todos/{todo_id}/relations"): Scope.TODOS_READ,
    ("PUT", "/todos/{todo_id}/relations/{kind}/{other_id}"): Scope.TODOS_WRITE,
    ("DELETE", "/todos/{todo_id}/relations/{kind}/{other_id}"): Scope.TODOS_WRITE,
    ("GET", "/labels"): Scope.TODOS_READ,
    ("POST", "/labels"): Scope.TODOS_WRITE,
    ("GET", "/labels/{label_id}"): Scope.TODOS_READ,
    ("PATCH", "/labels/{label_id}"): Scope.TODOS_WRITE,
    ("DELETE", "/labels/{label_id}"): Scope.TODOS_WRITE,
    ("POST", "/labels/{label_id}/merge"): Scope.TODOS_WRITE,
    ("GET", "/filters"): Scope.TODOS_READ,
    ("POST", "/filters"): Scope.TODOS_WRITE,
    ("GET", "/filters/{filter_id}"): Scope.TODOS_READ,
    ("PATCH", "/filters/{filter_id}"): Scope.TODOS_WRITE,
    ("DELETE", "/filters/{filter_id}"): Scope.TODOS_WRITE,
    ("POST", "/filters/{filter_id}/move"): Scope.TODOS_WRITE,
    ("POST", "/change-sets/{change_set_id}/undo"): Scope.TODOS_WRITE,
    ("POST", "/imports"): Scope.TODOS_WRITE,
    ("GET", "/imports"): Scope.TODOS_READ,
    ("GET", "/imports/{import_id}"): Scope.TODOS_READ,
    ("DELETE", "/imports/{import_id}"): Scope.TODOS_WRITE,
    ("POST", "/imports/{import_id}/undo"): Scope.TODOS_WRITE,
    ("GET", "/projects"): Scope.TODOS_READ,
    ("POST", "/projects"): Scope.TODOS_WRITE,
    ("GET", "/projects/{project_id}"): Scope.TODOS_READ,
    ("PATCH", "/projects/{project_id}"): Scope.TODOS_WRITE,
    ("DELETE", "/projects/{project_id}"): Scope.TODOS_WRITE,
    ("POST", "/projects/{project_id}/move"): Scope.TODOS_WRITE,
    ("POST", "/projects/{project_id}/restore"): Scope.TODOS_WRITE,
    ("POST", "/projects/{project_id}/duplicate"): Scope.TODOS_WRITE,
    ("GET", "/projects/{project_id}/sections"): Scope.TODOS_READ,
    ("POST", "/projects/{project_id}/sections"): Scope.TODOS_WRITE,
    ("GET", "/projects/{project_id}/sections/{section_id}"): Scope.TODOS_READ,
    ("PATCH", "/projects/{project_id}/sections/{section_id}"): Scope.TODOS_WRITE,
    ("DELETE", "/projects/{project_id}/sections/{section_id}"): Scope.TODOS_WRITE,
    ("POST", "/projects/{project_id}/sections/{section_id}/move"): Scope.TODOS_WRITE,
    ("GET", "/trash"): Scope.TODOS_READ,
    ("GET", "/changes"): Scope.TODOS_READ,
    ("GET", "/activity"): Scope.TODOS_READ,
    ("GET", "/projects/{project_id}/activity"): Scope.TODOS_READ,
    ("GET", "/todos/{todo_id}/activity"): Scope.TODOS_READ,
    ("DELETE", "/trash"): Scope.TODOS_WRITE,
    ("DELETE", "/trash/{deletion_id}"): Scope.TODOS_WRITE,
    ("GET", "/posts"): Scope.FEED_READ,
    ("POST", "/posts"): Scope.FEED_WRITE,
    ("GET", "/timeline"): Scope.FEED_READ,
    ("GET", "/users/me/likes"): Scope.FEED_READ,
    ("GET", "/users/me/blocks"): Scope.FEED_READ,
    ("GET", "/posts/{post_id}"): Scope.FEED_READ,
    ("PATCH", "/posts/{post_id}"): Scope.FEED_WRITE,
    ("DELETE", "/posts/{post_id}"): Scope.FEED_WRITE,
    ("GET", "/posts/{post_id}/edits"): Scope.FEED_READ,
    ("GET", "/posts/{post_id}/likes"): Scope.FEED_READ,
    ("PUT", "/posts/{post_id}/like"): Scope.FEED_WRITE,
    ("DELETE", "/posts/{post_id}/like"): Scope.FEED_WRITE,
    ("GET", "/users/{user_id}/posts"): Scope.FEED_READ,
    ("GET", "/users/{user_id}/stats"): Scope.FEED_READ,
    ("GET", "/users/{user_id}/followers"): Scope.FEED_READ,
    ("GET", "/users/{user_id}/following"): Scope.FEED_READ,
    ("PUT", "/users/{user_id}/follow"): Scope.FEED_WRITE,
    ("DELETE", "/users/{user_id}/follow"): Scope.FEED_WRITE,
    ("PUT", "/users/{user_id}/block"): Scope.FEED_WRITE,
    ("DELETE", "/users/{user_id}/block"): Scope.FEED_WRITE,
    ("GET", "/admin/users/{user_id}"): Scope.ADMIN,
    ("GET", "/admin/users/{user_id}/audit"): Scope.ADMIN,
    ("PUT", "/admin/users/{user_id}/disabled"): Scope.ADMIN,
    ("DELETE", "/admin/users/{user_id}/disabled"): Scope.ADMIN,
    ("DELETE", "/admin/posts/{post_id}"): Scope.ADMIN,
    ("GET", "/admin/invitations"): Scope.ADMIN,
    ("POST", "/admin/invitations"): Scope.ADMIN,
    ("DELETE", "/admin/invitations/{invitation_id}"): Scope.ADMIN,
    ("GET", "/users/me/push-key"): Scope.FEED_READ,
    ("GET", "/users/me/push-subscriptions"): Scope.FEED_READ,
    ("POST", "/users/me/push-subscriptions"): Scope.FEED_WRITE,
    ("DELETE", "/users/me/push-subscriptions/{subscription_id}"): Scope.FEED_WRITE,
    ("GET", "/notifications"): Scope.FEED_READ,
    ("PUT", "/notifications/read"): Scope.FEED_WRITE,
    ("PUT", "/notifications/{notification_id}/read"): Scope.FEED_WRITE,
}
PRIVATE = [
    (method, path, scope) for (method, path), scope in REQUIRED_SCOPES.items() if scope is not None
]
PRIVATE.sort(key=lambda route: route[1] == "/auth/logout")  # ends the session, so it comes last
IDS = ("user", "session", "token", "todo", "post", "notification", "invitation")
IDS += ("project", "section", "deletion", "label", "other", "filter")
MISSING_IDS = dict.fromkeys([f"{name}_id" for name in IDS], MAX_BIGINT) | {
    "kind": "blocks",
    "change_set_id": UUID(int=1),
    "day": "2031-01-06",
    "subscription_id": MAX_BIGINT,
    "import_id": MAX_BIGINT,
}
NO_PERSONAL_TOKENS = (403, "This needs a token from a log-in, not a personal one")
NO_ADMIN = (403, "This needs a token with the scope admin")
NOT_PERMITTED = (403, "Not enough permissions")
NO_SUBSCRIPTION = (404, "Push subscription not found")
NO_POST = (404, "Post not found")
NO_TODO = (404, "Task not found.")
NO_CHANGE_SET = (404, "There is no such change set. It may be too old, or of nothing.")
NO_IMPORT = (404, "Import not found.")
NO_LABEL = (404, "Label not found.")
NO_FILTER = (404, "Saved filter not found.")
NO_PROJECT = (404, "Project not found.")
NO_SECTION = (404, "Section not found.")
RESPONSES_TO_STRANGERS = {
    ("GET", "/calendars/{secret}.ics"): (404, "Calendar feed not found"),
    ("GET", "/users/{user_id}"): 200,  # the public profile
    ("GET", "/users/by-name/{username}"): 200,  # the same
    ("GET", "/users/{username}/feed.atom"): 200,  # of public posts
    ("GET", "/users/{username}/feed.json"): 200,
    ("PUT", "/users/{user_id}"): NOT_PERMITTED,
    ("DELETE", "/users/{user_id}"): NOT_PERMITTED,
    ("DELETE", "/auth/sessions/{session_id}"): (404, "Session not found"),
    ("GET", "/auth/tokens/{token_id}"): (404, "Token not found"),
    ("DELETE", "/auth/tokens/{token_id}"): (404, "Token not found"),
    ("GET", "/todos/{todo_id}"): (404, "Task not found."),
    ("PATCH", "/todos/{todo_id}"): (404, "Task not found."),
    ("DELETE", "/todos/{todo_id}"): (404, "Task not found."),
    ("POST", "/todos/{todo_id}/complete"): NO_TODO,
    ("POST", "/todos/{todo_id}/snooze"): NO_TODO,
    ("POST", "/todos/{todo_id}/restore"): (404, "There is no such todo in the trash."),
    ("POST", "/todos/{todo_id}/move"): NO_TODO,
    ("POST", "/todos/{todo_id}/duplicate"): NO_TODO,
    ("POST", "/projects/{project_id}/duplicate"): NO_PROJECT,
    ("GET", "/todos/{todo_id}/relations"): NO_TODO,
    ("GET", "/todos/{todo_id}/activity"): NO_TODO,
    ("PUT", "/todos/{todo_id}/relations/{kind}/{other_id}"): NO_TODO,
    ("DELETE", "/todos/{todo_id}/relations/{kind}/{other_id}"): NO_TODO,
    ("GET", "/labels/{label_id}"): NO_LABEL,
    ("PATCH", "/labels/{label_id}"): NO_LABEL,
    ("DELETE", "/labels/{label_id}"): NO_LABEL,
    ("POST", "/labels/{label_id}/merge"): NO_LABEL,
    ("GET", "/filters/{filter_id}"): NO_FILTER,
    ("PATCH", "/filters/{filter_id}"): NO_FILTER,
    ("DELETE", "/filters/{filter_id}"): NO_FILTER,
    ("POST", "/filters/{filter_id}/move"): NO_FILTER,
    ("POST", "/change-sets/{change_set_id}/undo"): NO_CHANGE_SET,
    ("GET", "/imports/{import_id}"): NO_IMPORT,
    ("DELETE", "/imports/{import_id}"): NO_IMPORT,
    ("POST", "/imports/{import_id}/undo"): NO_IMPORT,
    ("GET", "/projects/{project_id}"): NO_PROJECT,
    ("PATCH", "/projects/{project_id}"): NO_PROJECT,
    ("DELETE", "/projects/{project_id}"): NO_PROJECT,
    ("POST", "/projects/{project_id}/move"): NO_PROJECT,
    ("POST", "/projects/{project_id}/restore"): (404, "There is no such project in the trash."),
    ("GET", "/projects/{project_id}/activity"): NO_PROJECT,
    ("GET", "/projects/{project_id}/sections"): NO_PROJECT,
    ("POST", "/projects/{project_id}/sections"): NO_PROJECT,
    ("GET", "/projects/{project_id}/sections/{section_id}"): NO_SECTION,
    ("PATCH", "/projects/{project_id}/sections/{section_id}"): NO_SECTION,
    ("DELETE", "/projects/{project_id}/sections/{section_id}"): NO_SECTION,
    ("POST", "/projects/{project_id}/sections/{section_id}/move"): NO_SECTION,
    ("DELETE", "/trash/{deletion_id}"): (404, "This is not in your trash."),
    ("GET", "/posts/{post_id}"): NO_POST,  # the stranger's post is private
    ("PATCH", "/posts/{post_id}"): NO_POST,
    ("DELETE", "/posts/{post_id}"): NO_POST,
    ("GET", "/posts/{post_id}/edits"): NO_POST,
    ("GET", "/posts/{post_id}/likes"): NO_POST,
    ("PUT", "/posts/{post_id}/like"): NO_POST,
    ("DELETE", "/posts/{post_id}/like"): NO_POST,
    ("GET", "/users/{user_id}/posts"): 200,  # an empty list
    ("GET", "/users/{user_id}/stats"): 200,
    ("GET", "/users/{user_id}/followers"): 200,
    ("GET", "/users/{user_id}/following"): 200,
    ("PUT", "/users/{user_id}/follow"): 204,  # allowed on other users
    ("DELETE", "/users/{user_id}/follow"): 204,
    ("PUT", "/users/{user_id}/block"): 204,
    ("DELETE", "/users/{user_id}/block"): 204,
    ("GET", "/admin/users/{user_id}"): NO_ADMIN,
    ("GET", "/admin/users/{user_id}/audit"): NO_ADMIN,
    ("PUT", "/admin/users/{user_id}/disabled"): NO_ADMIN,
    ("DELETE", "/admin/users/{user_id}/disabled"): NO_ADMIN,
    ("DELETE", "/admin/posts/{post_id}"): NO_ADMIN,
    ("DELETE", "/admin/invitations/{invitation_id}"): NO_ADMIN,
    ("PUT", "/notifications/{notification_id}/read"): (404, "Notification not found"),
    ("DELETE", "/users/me/push-subscriptions/{subscription_id}"): NO_SUBSCRIPTION,
    ("POST", "/todos/{todo_id}/skip"): NO_TODO,
    ("GET", "/todos/{todo_id}/occurrences"): NO_TODO,
    ("DELETE", "/todos/{todo_id}/occurrences/{day}"): NO_TODO,
}


def test_every_route_is_in_the_tables(app):
    assert REQUIRED_SCOPES.keys() == operations(app)
    assert RESPONSES_TO_STRANGERS.keys() == {
        (method, path) for method, path in operations(app) if "{" in path
    }


def test_the_openapi_document_contains_the_scope_of_every_route(app):
    paths = app.openapi()["paths"]

    for method, path, scope in PRIVATE:
        needed = list(all_of(scope))
        expected = [{"OAuth2PasswordBearer": needed}, {"BearerToken": needed}]
        assert paths[path][method.lower()]["security"] == expected, (method, path)
    flow = app.openapi()["components"]["securitySchemes"]["OAuth2PasswordBearer"]["flows"]
    assert flow["password"]["scopes"].keys() == set(Scope)


def all_of(needed) -> tuple[str, ...]:
    return needed if isinstance(needed, tuple) else (needed,) if needed else ()


@pytest.mark.parametrize("kind", ["personal", "access"])
@pytest.mark.parametrize("scope", sorted(Scope))
async def test_a_token_allows_only_the_routes_of_its_scope(
    anonymous, settings, user, save, kind, scope
):
    if kind == "personal":
        token = new_token()
        [owner] = await save(UserFactory(role="admin"))
        await save(PersonalTokenFactory(token=token, owner_id=owner.id, scopes=[scope]))
    else:
        token = security.create_access_token(settings, user.id, MAX_BIGINT, [scope])
    headers = {"Authorization": f"Bearer {token}"}

    for method, path, needed in PRIVATE:
        response = await anonymous.request(method, path.format(**MISSING_IDS), headers=headers)
        case = (method, path, response.text)
        challenge = response.headers.get("www-authenticate")
        if needed is ANY:
            if kind == "personal":
                assert problem(response) == NO_PERSONAL_TOKENS, case
        elif not (missing := " ".join(name for name in all_of(needed) if name != scope)):
            assert (
                response.status_code in {200, 202, 204, 404, 422}
                or problem(response) == NOT_PERMITTED
            )
            assert challenge is None, case
        else:
            refusal = (403, f"This needs a token with the scope {missing}")
            assert problem(response) == refusal, case
            assert challenge == f'Bearer error="insufficient_scope", scope="{missing}"', case


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("DELETE", "/users/{}", None),
        ("PUT", "/users/{}", {"username": "eve", "email": "eve@example.com", "password": "x" * 9}),
        ("PATCH", "/users/me", {"password": "x" * 9, "current_password": PASSWORD}),
        ("PATCH", "/users/me", {"email": "eve@example.com", "current_password": PASSWORD}),
    ],
)
async def test_a_personal_token_cannot_take_over_an_account(
    anonymous, user, save, session, method, path, body
):
    token = new_token()
    await save(PersonalTokenFactory(token=token, owner_id=user.id))
    headers = {"Authorization": f"Bearer {token}"}

    response = await anonymous.request(method, path.format(user.id), json=body, headers=headers)

    assert problem(response) == NO_PERSONAL_TOKENS
    stored = await session.get_one(User, user.id)
    assert (stored.email, stored.pending_email, stored.password_hash) == (
        user.email,
        None,
        user.password_hash,
    )


async def test_objects_of_strangers_do_not_exist(client, stranger, save):
    theirs = await save(
        LoginSessionFactory(owner_id=stranger.id),
        PersonalTokenFactory(owner_id=stranger.id),
        TodoFactory(owner_id=stranger.id),
        PostFactory(author_id=stranger.id, visibility="private"),
        Notification(user_id=stranger.id, kind="follow", post_id=None, since=1),
        ProjectFactory(owner_id=stranger.id),
        Deletion(owner_id=stranger.id, kind="todo", item_id=1, title="Theirs"),
        LabelFactory(owner_id=stranger.id),
        SavedFilterFactory(owner_id=stranger.id),
    )
    [section] = await save(SectionFactory(owner_id=stranger.id, project_id=theirs[5].id))
    names = ("session_id", "token_id", "todo_id", "post_id", "notification_id")
    names += ("project_id", "deletion_id", "label_id", "filter_id")
    ids = {"user_id": stranger.id, "username": stranger.username, "invitation_id": 1}
    ids |= {name: row.id for name, row in zip(names, theirs, strict=True)}
    ids |= {"section_id": section.id, "kind": "blocks", "other_id": MAX_BIGINT}
    ids["change_set_id"] = UUID(int=1)  # for one that there is, see the tests of undo
    ids |= {"day": "2031-01-06", "subscription_id": 1, "secret": "unknown"}  # as above
    ids |= {"import_id": 1}
    account = {"username": "ana", "email": "ana@example.com", "password": "another fine sentence"}

    for (method, path), expected in RESPONSES_TO_STRANGERS.items():
        body = {"PUT": account, "PATCH": {"title": "Mine", "name": "Mine"}}.get(method)
        if method == "POST":
            body = {"name": "Mine", "before": MAX_BIGINT, "into": MAX_BIGINT, "minutes": 5}
        body = {"text": "Mine"} if path.startswith("/posts") and method == "PATCH" else body
        response = await client.request(method, path.format(**ids), json=body)
        result = response.status_code if isinstance(expected, int) else problem(response)
        assert result == expected, (method, path)


@pytest.mark.parametrize(
    ("requested", "granted"),
    [
        ("todos:read", "todos:read"),
        (" todos:write  account:read ", "account:read todos:write"),
        ("todos:read todos:read", "todos:read"),
        ("", "account:read account:write feed:read feed:write todos:read todos:write"),
    ],
)
async def test_a_log_in_may_request_fewer_scopes(anonymous, user, requested, granted):
    tokens = (await anonymous.post("/auth/token", data=form(user, requested))).json()
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    successor = (await anonymous.post("/auth/token", data=refresh)).json()

    assert tokens["scope"] == successor["scope"] == granted
    headers = {"Authorization": f"Bearer {successor['access_token']}"}
    status = (await anonymous.get("/users/me", headers=headers)).status_code
    assert status == (200 if "account:read" in granted else 403)


def form(user, scope) -> dict[str, str]:
    return {"username": user.email, "password": "a fine long sentence", "scope": scope}


async def test_an_unknown_scope_is_refused(anonymous, user):
    response = await anonymous.post("/auth/token", data=form(user, "todos:read todos:eat"))

    [fault] = problem(response)[1]
    assert fault["loc"] == ["body", "scope"]
    assert fault["msg"] == (
        "There is no scope todos:eat. There are account:read, account:write, admin, "
        "feed:read, feed:write, todos:read, todos:write."
    )
