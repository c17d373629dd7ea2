"""Owns no tables: the page, HTML for people below `/app/`, and the files that it loads.

A page shows what its reader may see, by the queries of other rooms. Promises that all works without
JavaScript, that no other site can write, and that a private page is in no cache.
"""
