"""Owns labels, and which todos carry which labels.

A label is visible to and changed by its owner alone. Promises that a name is unique per owner
without regard to case, and that a rename shows on every todo.
"""
