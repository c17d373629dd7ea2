"""Owns posts, their earlier texts and likes, and when todos were finished.

A post is seen by whom its visibility says, and never where a block stands between two people.
Promises that a reply is seen by nobody who may not see what it replies to.
"""
