"""Owns the file formats that todos come from and go to: CSV and iCalendar.

It is pure: files in, values out, and back. Promises that what was written is read as the same
values, and that what cannot be kept is named with its line.
"""
