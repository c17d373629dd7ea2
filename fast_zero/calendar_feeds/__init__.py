"""Owns the secret addresses of calendar feeds. `calendars` publishes them.

An address is shown once, to its owner. Promises that a new address ends the old one at once.
"""
