"""Owns notifications and the weekly reports: what people are told without asking.

Knows todos and the feed, which know nothing of it. Promises that nobody is told of what they may
not see, that a busy post is one notification and one email, and that a report comes once a week.
"""
