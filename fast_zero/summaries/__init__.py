"""Owns no table: counts of open todos, for an overview; what the page shows beside its lists.

A summary counts what its user can see. Promises one statement, and one more if there are saved
filters; and days on the user's own clock.
"""
