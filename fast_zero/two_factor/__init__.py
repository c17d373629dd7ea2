"""Owns second factors and recovery codes.

They are visible only to their owner, and changed only by their owner with the password. Promises
that a code works once.
"""
