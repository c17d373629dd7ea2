import secrets
from datetime import UTC, datetime, timedelta

import factory
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from fast_zero.core import security
from fast_zero.identity import personal_tokens
from fast_zero.identity.scopes import ALL_SCOPES
from fast_zero.models import (
    Block,
    Follow,
    Label,
    LoginSession,
    PersonalToken,
    Post,
    Project,
    Relation,
    SavedFilter,
    Section,
    Todo,
    User,
)
from fast_zero.todos.models import TodoState

PASSWORD = "a fine long sentence"
# One pass over 8 KiB is fast; see the fixture `cheap_hasher`.
CHEAP_HASHER = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))
PASSWORD_HASH = CHEAP_HASHER.hash(PASSWORD)
# A cheap hash of the same password. With the real hasher, a log-in replaces it.
WEAK_HASH = (
    "$argon2id$v=19$m=8,t=1,p=1$lS/ecD1swRHFJn5nJMWmmg$XTfWRoLfiEickF15KEEoSxHcLme/GVG7umyCZ57Q5F0"
)


def new_token() -> str:
    return personal_tokens.token_of(secrets.token_bytes(32))


class UserFactory(factory.Factory):
    class Meta:
        model = User

    username = factory.Sequence(lambda number: f"user {number}")
    email = factory.Sequence(lambda number: f"user{number}@example.com")
    password_hash = PASSWORD_HASH


class LoginSessionFactory(factory.Factory):
    class Meta:
        model = LoginSession

    owner_id: int
    refresh_digest = factory.LazyFunction(lambda: secrets.token_bytes(32))
    scopes = factory.LazyFunction(lambda: sorted(ALL_SCOPES))
    user_agent = "Firefox"
    address = "203.0.113.7"
    expires_at = factory.LazyFunction(lambda: datetime.now(UTC) + timedelta(days=30))


class PersonalTokenFactory(factory.Factory):
    class Meta:
        model = PersonalToken

    class Params:
        token = factory.LazyFunction(new_token)

    owner_id: int
    digest = factory.LazyAttribute(lambda row: security.digest(row.token))
    name = "Backup"
    scopes = factory.LazyFunction(lambda: sorted(ALL_SCOPES))
    expires_at = factory.LazyFunction(lambda: datetime.now(UTC) + timedelta(days=90))


class TodoFactory(factory.Factory):
    class Meta:
        model = Todo

    owner_id: int
    title = factory.Faker("sentence", nb_words=4)
    description = factory.Faker("text", max_nb_chars=120)
    state = factory.Faker("random_element", elements=list(TodoState))


class ProjectFactory(factory.Factory):
    class Meta:
        model = Project

    owner_id: int
    name = factory.Sequence(lambda number: f"Project {number}")


class SectionFactory(factory.Factory):
    class Meta:
        model = Section

    owner_id: int
    project_id: int
    name = factory.Sequence(lambda number: f"Section {number}")


class LabelFactory(factory.Factory):
    class Meta:
        model = Label

    owner_id: int
    name = factory.Sequence(lambda number: f"label {number}")


class SavedFilterFactory(factory.Factory):
    class Meta:
        model = SavedFilter

    owner_id: int
    name = factory.Sequence(lambda number: f"Filter {number}")
    filter = "is:open"


class PostFactory(factory.Factory):
    class Meta:
        model = Post

    author_id: int
    text = factory.Faker("sentence", nb_words=6)
    visibility = "public"
    above = factory.LazyFunction(list)
    circle = factory.LazyAttribute(
        lambda row: row.author_id if row.visibility == "followers" else None
    )


def follow(follower: User, followed: User) -> Follow:
    return Follow(follower_id=follower.id, followed_id=followed.id)


def block(blocker: User, blocked: User) -> Block:
    return Block(blocker_id=blocker.id, blocked_id=blocked.id)


def relate(todo: Todo, other: Todo, kind: str = "blocks") -> Relation:
    return Relation(owner_id=todo.owner_id, todo_id=todo.id, other_id=other.id, kind=kind)
