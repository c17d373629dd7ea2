"""Owns nothing: puts together the posts of whom somebody follows when they are read.

A timeline is seen by its owner alone, and holds what `posts` lets them see.
Promises that it costs the same whoever is followed.
"""
