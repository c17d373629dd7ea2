"""Owns nothing: the rules of recurrence (RFC 5545), and the days and moments that they give.

Nobody sees them but the rooms that use them. Promises that no rule examines more than 10,000 days
to find one, or 40,000 to count those of COUNT.
"""
