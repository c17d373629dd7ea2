"""Owns follows and blocks: what people are to one another.

Anybody may know of anybody, but where a block stands between two people: then neither of them
exists for the other. Promises that nothing tells a reader of being blocked.
"""
