"""The base of every mapped class."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, DateTime, FetchedValue, MetaData, Table, Text, text
from sqlalchemy.orm import DeclarativeBase, MappedAsDataclass, MappedColumn, mapped_column


class Base(MappedAsDataclass, DeclarativeBase):
    __table__: ClassVar[Table]
    # Constraint names are fixed, since the messages for violations are looked up by name.
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: DateTime(timezone=True),
        int: BigInteger,
        str: Text,
    }


def version_column() -> MappedColumn[int]:
    """Map a version column, which a trigger of the table increments on every update."""
    return mapped_column(init=False, server_default=text("1"), server_onupdate=FetchedValue())
