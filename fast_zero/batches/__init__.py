"""Owns no table: many changes of todos in one request, all or nothing.

Promises that the number of statements does not depend on the number of items, except for moves,
restores, and todos that recur.
"""
