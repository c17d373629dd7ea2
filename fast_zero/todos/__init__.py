"""Owns todos.

A todo is visible to and changed by its owner alone; for everyone else it does not exist. Promises
that a change touches only the fields that were sent.
"""
