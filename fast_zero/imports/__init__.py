"""Owns imports, and writes what they bring as todos, projects, sections and labels.

An import is visible to and deleted by its owner alone. Promises that all of a file comes in or
nothing, that what came in can be undone, and that the same file again finds what it made.
"""
