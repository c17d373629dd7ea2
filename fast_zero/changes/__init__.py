"""Owns the log of changes, which triggers write, and what clients read from it to stay in sync.

A change is visible to the owner of the thing that changed. Promises that a client that follows the
log misses nothing.
"""
