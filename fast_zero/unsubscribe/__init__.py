"""Owns nothing: unsubscribes from the emails of `notifications` with the link in each of them.

A link is used by anyone who has it, without a log-in. Promises that it works as long as the
server's keys (RFC 8058).
"""
