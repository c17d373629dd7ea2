"""The scopes of tokens."""

from enum import StrEnum


class Scope(StrEnum):
    TODOS_READ = "todos:read"
    TODOS_WRITE = "todos:write"
    ACCOUNT_READ = "account:read"
    ACCOUNT_WRITE = "account:write"
    FEED_READ = "feed:read"
    FEED_WRITE = "feed:write"
    ADMIN = "admin"


DESCRIPTIONS = {
    Scope.TODOS_READ: "See your todos and projects.",
    Scope.TODOS_WRITE: "Create, change and delete your todos and projects.",
    Scope.ACCOUNT_READ: "See your account, your sessions and your tokens.",
    Scope.ACCOUNT_WRITE: "Change your account, end sessions, revoke tokens.",
    Scope.FEED_READ: "See what you may see of others: posts, likes, who follows whom.",
    Scope.FEED_WRITE: "Post, reply and like; follow and block.",
    Scope.ADMIN: "Look after the accounts and posts of others; for administrators.",
}
ALL_SCOPES = frozenset(Scope) - {Scope.ADMIN}
"""The scopes of users without the role `admin`."""
