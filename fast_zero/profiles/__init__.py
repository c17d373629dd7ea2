"""Owns the numbers of followers and posts: shows profiles, and what somebody has finished.

A profile is seen by everyone, or by who is logged in, and counts what its reader may see.
Promises that it costs the same whoever follows.
"""
