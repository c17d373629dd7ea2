"""Owns no tables: logs in and out, refreshes tokens, lists and ends the sessions of `identity`.

A session is seen and ended by its owner alone.
Promises that an ended session is refused at once in every process.
"""
