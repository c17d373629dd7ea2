"""Owns no table: the routes of the occurrences of todos that recur.

They are visible to and changed by the owner of the todo alone. Promises that one that is done is
changed only by taking it back.
"""
