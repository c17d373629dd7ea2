"""Owns no table: copies of todos and projects, with what is below them.

Todos and projects are copied by their owner alone. Promises that a copy is whole or is not made,
and that it takes no more statements for a thousand todos than for one.
"""
