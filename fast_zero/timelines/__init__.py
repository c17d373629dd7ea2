"""Owns nothing: assembles the posts of followed users when they are read.

A timeline is visible to its owner alone, and contains what `posts` lets them see. Promises that it
costs the same regardless of who is followed.
"""
