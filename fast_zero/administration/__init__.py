"""Owns nothing: lets administrators invite people, and manage accounts and posts of others.

Promises that each route needs the scope `admin`, which only a log-in of an administrator can have.
"""
