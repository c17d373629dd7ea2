"""Owns todos.

A todo is seen and changed by its owner alone; for everyone else it does not exist.
Promises that a change touches only what was sent.
"""
