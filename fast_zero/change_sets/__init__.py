"""Owns undo: what a change set did, and how it is undone.

A change set is visible to, and can be undone by, the owner of what it changed. Promises that undo
leaves alone what was changed since, unless it is forced, and can itself be undone.
"""
