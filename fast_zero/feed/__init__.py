"""Owns follows, blocks, posts and likes: what people show one another.

A post is seen by whom its visibility says, and never where a block stands between two people;
then neither of them exists for the other. Promises that a reply is seen by nobody who may not
see what it replies to, and that nothing tells a reader of being blocked.
"""
