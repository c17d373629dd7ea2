"""Owns projects and their sections.

A project is visible to and changed by its owner alone. Promises that a project never contains
itself, and that deleting it only moves it into the trash.
"""
