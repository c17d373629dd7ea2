"""Owns the counts of followers and posts: shows profiles and statistics of finished todos.

A profile is visible to everyone, or to logged-in users, and counts only what its reader can see.
Promises that a profile costs the same regardless of the number of followers.
"""
