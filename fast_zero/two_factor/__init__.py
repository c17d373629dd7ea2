"""Owns second factors and recovery codes.

They are seen and changed by their owner alone, who is logged in and knows the password.
Promises that a code works once.
"""
