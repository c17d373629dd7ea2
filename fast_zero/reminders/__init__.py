"""Owns when reminders and daily digests go out, and their emails. The todo has the reminders.

Reminders are visible to the owner of the todo. Promises each within a minute and once, as far as
email allows, and none of a todo that is done, blocked or in the trash.
"""
