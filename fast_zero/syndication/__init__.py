"""Owns retractions: publishes public posts for feed readers, as Atom and as JSON Feed.

A feed is visible to everyone, or to logged-in users. Promises that a feed changes when one of its
posts is no longer public.
"""
