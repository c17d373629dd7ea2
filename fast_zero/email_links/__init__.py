"""Owns the links in emails: they verify or change an address, or reset a forgotten password.

A link is used by anyone who has its token; links are not listed. Promises that only the newest link
of a kind works, and only once, and that nobody learns whether an address has an account.
"""
