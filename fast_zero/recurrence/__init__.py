"""Owns nothing: the rules of recurrence (RFC 5545), and the days and moments that they give.

Nobody sees them but the rooms that use them. Promises that no rule takes more than 10,000 steps to
find a day.
"""
