"""Owns nothing: the language of filters, from text to conditions, and back to text.

Nobody sees it but the rooms that use it. Promises that a mistake is named with its column, and that
length, depth and number of conditions are bounded.
"""
