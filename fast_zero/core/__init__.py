"""Owns the plumbing: settings, database, errors, pages, passwords and tokens.

Seen by every room; knows none of them.
Promises that no domain word stands in here.
"""
