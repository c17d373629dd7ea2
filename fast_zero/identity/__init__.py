"""Owns users, log-in sessions, personal tokens and the audit; knows the current user.

A profile is visible to everyone, email address and settings to the user alone. Promises that
usernames and email addresses are unique regardless of case and Unicode form.
"""
