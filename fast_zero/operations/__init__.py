"""The operator's commands, which work on a deployment from outside.

Only the command line uses them; they own no tables. They promise to report what is wrong and what
to do about it, and to leave no test data behind.
"""
