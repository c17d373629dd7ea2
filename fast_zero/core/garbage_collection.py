"""Garbage is not looked for among what the program is made of, which stays anyway."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Load modules without looking through them again and again: a seventh of a start."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def spared_collector() -> Iterator[None]:
    """Keep what the program is made of out of the garbage collector's way while it serves.

    A full collection looks at every object and answers nobody meanwhile: a tenth of a second
    with the program itself, which stays anyway, and hardly any time without.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
