"""Uses the client that openapi-python-client generated, as its README shows.

The address of the server is the only argument.
"""

import sys
from datetime import timedelta

from fast_zero_client import AuthenticatedClient, Client
from fast_zero_client.api.auth import create_personal_token, create_token
from fast_zero_client.api.todos import (
    create_todo,
    delete_todo,
    list_todos,
    read_todo,
    update_todo,
)
from fast_zero_client.api.users import create_user, read_me
from fast_zero_client.models import (
    Message,
    PasswordGrant,
    PersonalTokenCreate,
    PersonalTokenCreated,
    Problem,
    Scope,
    TodoCreate,
    TodoPage,
    TodoPublic,
    TodoState,
    TodoUpdate,
    Token,
    UserCreate,
    UserPrivate,
)

PASSWORD = "a fine long sentence"

[_, base_url] = sys.argv
anonymous = Client(base_url=base_url, raise_on_unexpected_status=True)

new = UserCreate(username="pia", email="pia@example.com", password=PASSWORD)
user = create_user.sync(client=anonymous, body=new)
assert isinstance(user, UserPrivate), user

form = PasswordGrant(username="pia", password=PASSWORD)
token = create_token.sync(client=anonymous, body=form)
assert isinstance(token, Token), token
pia = AuthenticatedClient(
    base_url=base_url, token=token.access_token, raise_on_unexpected_status=True
)
assert read_me.sync(client=pia) == user

created = create_todo.sync(client=pia, body=TodoCreate(title="Buy bread"))
assert isinstance(created, TodoPublic), created
assert created.state == TodoState.TODO

listed = list_todos.sync(client=pia, title="bread", limit=10)
assert isinstance(listed, TodoPage), listed
assert [todo.to_dict() for todo in listed.todos] == [created.to_dict()]
assert listed.next_ is None

change, tag = TodoUpdate(state=TodoState.DONE), f'"{created.version}"'
patched = update_todo.sync(created.id, client=pia, body=change, if_match=tag)
assert isinstance(patched, TodoPublic), patched
assert (patched.state, patched.title) == (TodoState.DONE, "Buy bread")

deleted = delete_todo.sync(created.id, client=pia)
assert deleted == Message(message="Task has been deleted successfully."), deleted

missing = read_todo.sync(created.id, client=pia)
assert isinstance(missing, Problem), missing
assert (missing.status, missing.detail) == (404, "Task not found.")

wanted = PersonalTokenCreate(
    name="Backup script",
    scopes=[Scope.TODOSREAD],
    expires_at=created.created_at + timedelta(days=1),
)
made = create_personal_token.sync(client=pia, body=wanted)
assert isinstance(made, PersonalTokenCreated), made
program = AuthenticatedClient(base_url=base_url, token=made.token, raise_on_unexpected_status=True)
assert list_todos.sync(client=program) == TodoPage(todos=[], next_=None)
