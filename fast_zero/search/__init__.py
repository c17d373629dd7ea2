"""Owns lists of todos: their filters, sort and pages.

A list has what its reader may see. Promises that a page reads no more of others' todos however many
there are, and that paging neither misses nor repeats what stays as it is.
"""
