"""Owns nothing: exports the data that the other rooms store about a user.

An export is visible only to the user whom it is about. Promises that it is complete, and contains
no secrets.
"""
