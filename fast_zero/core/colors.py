"""The colors of projects and labels. Names only, so that a page can choose the contrast."""

from typing import Literal, get_args

Color = Literal[
    "red",
    "orange",
    "amber",
    "olive",
    "green",
    "teal",
    "cyan",
    "blue",
    "violet",
    "pink",
    "brown",
    "grey",
]
CHECK = f"color IN ({', '.join(repr(name) for name in get_args(Color))})"
"""The condition of the check constraint."""
