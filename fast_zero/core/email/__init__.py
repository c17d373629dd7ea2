"""Emails as multipart messages, and their delivery by SMTP."""
