"""The metadata of all tables, and the columns that many of them have."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    FetchedValue,
    ForeignKey,
    Identity,
    MetaData,
    func,
    text,
)

# Names are fixed, since the messages of broken constraints are found by them.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)
MOMENT = DateTime(timezone=True)


def identity() -> Column[int]:
    """Make the column of an id that the database counts, as the primary key."""
    return Column(BigInteger, Identity(always=True), primary_key=True)


def going_with(
    column: str, *, key: bool = False, index: bool = False, **info: object
) -> Column[int]:
    """Make the column of another row's id, with which this one is deleted.

    `key` has it in the primary key; `info` says what it means that the other row is gone.
    """
    other = ForeignKey(column, ondelete="CASCADE", info=info)
    return Column(BigInteger, other, primary_key=key, autoincrement=False, index=index)


def now_at_first() -> Column[datetime]:
    """Make a column that says when the row was written, unless told otherwise."""
    return Column(MOMENT, server_default=func.now())


def counted_version() -> Column[int]:
    """Make the column that a trigger of the table counts up at each change, whoever writes."""
    return Column(BigInteger, server_default=text("1"), server_onupdate=FetchedValue())
