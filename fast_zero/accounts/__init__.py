"""Owns invitations: registers, changes and deletes the users of `identity`.

An account is changed by its owner alone, or by an administrator through `account_status`. Promises
that a changed password or address ends all sessions.
"""
