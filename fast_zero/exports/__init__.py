"""Owns nothing: gives people all that the other rooms keep of them.

An export is seen by the person whom it is about. Promises that it is whole, and holds no secret.
"""
