"""Owns the infrastructure: settings, database, HTTP, security, jobs, email, observability, server.

Every room may import it; it imports no room.
Promises to contain no domain terms.
"""
