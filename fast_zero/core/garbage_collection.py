"""Exclude long-lived objects, such as modules, from garbage collection."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def gc_disabled() -> Iterator[None]:
    """Disable the garbage collector while modules load, which saves 1/7 of the start-up time."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def gc_frozen() -> Iterator[None]:
    """Exclude all existing objects from garbage collection while the server runs.

    A full collection visits every object and blocks all requests meanwhile. It takes a tenth of a
    second with the objects of the program itself, which are never freed, and almost no time
    without.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
