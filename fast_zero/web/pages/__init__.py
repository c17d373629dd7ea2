"""The routes, a module for each group of pages. Their templates are in a folder of the same name.

`fast_zero.web.router` lists the modules.
"""
