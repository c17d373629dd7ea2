"""Owns nothing: shows what was done, as the log of changes has it.

Activity is visible to the owner of the things that changed. Promises that a page costs the same
regardless of the size of the log and of a change set.
"""
