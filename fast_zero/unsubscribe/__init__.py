"""Owns nothing: stops the emails of `notifications` by the link that each of them carries.

A link is used by whoever has it, without logging in. Promises that it works for as long as the
keys hold (RFC 8058).
"""
