"""Owns saved filters: filters of todos with a name, a color, an order and a sort.

A saved filter is visible to and changed by its owner alone. Promises that a name is unique per
owner without regard to case, and that every stored filter was valid.
"""
