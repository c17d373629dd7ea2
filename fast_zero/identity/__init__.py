"""Owns users, their log-in sessions and personal tokens, and the audit: who the current user is.

A user's profile is seen by everyone, email address and settings by that user alone.
Promises that usernames and addresses are unique whatever their case or Unicode form.
"""
