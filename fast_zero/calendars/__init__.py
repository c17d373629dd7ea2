"""Owns nothing: publishes the dues of a user as iCalendar, for calendar apps.

Visible to whoever has the address that `calendar_feeds` made. Promises that its events keep their
UID, and that an unchanged calendar keeps its entity tag.
"""
