"""Owns invitations: registers, changes and deletes accounts, which are users of `identity`.

An account is changed by its owner alone, or by an administrator through `account_status`.
Promises that a changed password or address ends all sessions.
"""
