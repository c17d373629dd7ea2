"""Owns notifications and weekly reports.

A notification is visible to its receiver alone, and reveals nothing that they cannot see. Promises
one notification and one email for many events of a post, and one report a week.
"""
