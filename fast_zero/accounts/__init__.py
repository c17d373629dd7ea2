"""Owns users, their passwords and tokens: the current user.

A user's profile is seen by everyone, email address and settings by that user alone.
Promises that usernames and addresses are unique whatever their case or Unicode form.
"""
