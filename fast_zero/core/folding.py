"""Names are compared without regard to case, and with compatibility forms normalized (NFKC)."""

from sqlalchemy import ColumnElement, Text, func, literal_column

# Upper case first, so that both Greek small sigmas become the same letter.
FOLDED = "normalize(lower(upper(normalize({column}, NFKC))), NFKC)"
"""The SQL expression of a generated column with the key of a name."""


def folded(name: ColumnElement[str]) -> ColumnElement[str]:
    """Return the key of a name in a statement, as the generated column has it."""
    form: ColumnElement[str] = literal_column("NFKC")
    lower = func.lower(func.upper(func.normalize(name, form)))
    return func.normalize(lower, form, type_=Text())
