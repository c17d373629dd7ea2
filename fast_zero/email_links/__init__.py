"""Owns the links in emails: they verify an address, change it, or replace a forgotten password.

A link is used by whoever has its token; nobody lists them.
Promises that only the newest link of each kind works, once, and that nobody learns who has an
account.
"""
