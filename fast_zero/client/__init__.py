"""Owns the commands with which people use their todos from a terminal, and the stored log-in.

They work on any server, with the rights of the token that the log-in made for them.
They promise to speak only the public API, and to import nothing of the server.
"""
