"""Owns retractions: gives public posts to feed readers, as Atom and as JSON Feed.

A feed is seen by everyone, or by who is logged in.
Promises that a feed reader hears of posts that are public no more.
"""
