"""Owns nothing: lets administrators invite people, and look after accounts and posts of others.

Promises that nobody else comes in: each route needs the scope `admin`, which only a log-in of an
administrator is given.
"""
