"""Owns the infrastructure: settings, database, HTTP, security, jobs, email, observability, server.

Seen by every room; knows none of them.
Promises that no domain word stands in here.
"""
