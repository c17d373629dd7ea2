"""Owns follows and blocks.

Everybody can see everybody, except across a block: then neither of the two exists for the other.
Promises that no response reveals to a reader that they are blocked.
"""
