"""Owns posts, their earlier texts and likes, and when todos were finished.

The visibility of a post decides who can see it; users with a block between them never see each
other's. Promises that only users who can see a post can see its replies.
"""
