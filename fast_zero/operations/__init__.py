"""The operator's tools: what is run from outside, against a deployment.

Only the command line sees it; it owns no tables.
It promises to say what is wrong and what to do, and to leave nothing behind.
"""
