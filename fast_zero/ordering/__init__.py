"""Owns no table: the order of todos, and moves within and between their lists.

A todo is moved by its owner alone, to places of its owner alone. Promises that moves at the same
time end in one order, and that a move costs the same in a long list as in a short one.
"""
