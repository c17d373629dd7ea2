"""fast_zero: a self-hostable, asynchronous todo manager whose product is its API."""

from importlib.metadata import version

__version__ = version("fast-zero")
