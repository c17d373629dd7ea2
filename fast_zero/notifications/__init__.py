"""Owns notifications and the weekly reports: what people are told without asking.

A notification is seen by its receiver alone, and tells of nothing that they may not see.
Promises that a busy post is one notification and one email, and that a report comes once a week.
"""
