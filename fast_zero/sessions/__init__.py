"""Owns no tables: log-in and log-out, token refresh, and the list of the sessions of `identity`.

A session is visible to its owner alone, who can end it. Promises that an ended session is refused
at once in every process.
"""
