"""Owns users, their passwords and tokens: who is asking.

A user's profile is seen by everyone, e-mail address and settings by that user alone.
Promises that usernames and addresses are unique whatever their case or Unicode form.
"""
