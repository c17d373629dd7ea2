"""Owns deletions: what is in the trash, and until when.

A deletion is visible to its owner alone. Promises that everything of one deletion comes back
together, or is deleted for good together.
"""
