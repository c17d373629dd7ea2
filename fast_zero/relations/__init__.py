"""Owns relations between todos: which todo blocks which, and which belong together.

A relation is visible to the owner of both todos alone. Promises that no todo waits for itself, not
even through others.
"""
