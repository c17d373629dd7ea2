from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Column,
    LargeBinary,
    Named,
    Table,
    Text,
    TypedColumns,
)

from fast_zero.core.tables import MOMENT, going_with, metadata, now_at_first


class SecondFactorColumns(TypedColumns):
    """A secret that an authenticator shares with the server; not asked for until confirmed."""

    owner_id: Named[int] = going_with("users.id", key=True, actor=True)
    secret: Named[str] = Column(Text)
    created_at: Named[datetime] = now_at_first()
    confirmed_at: Named[datetime | None] = Column(MOMENT)
    # The last step of the clock whose code was taken: a code works once.
    last_step: Named[int] = Column(BigInteger, server_default="0")


second_factors = Table("second_factors", metadata, SecondFactorColumns)


class RecoveryCodeColumns(TypedColumns):
    """A code for when the authenticator is lost. Who uses it deletes it."""

    owner_id: Named[int] = going_with("second_factors.owner_id", key=True)
    digest: Named[bytes] = Column(LargeBinary, primary_key=True)


recovery_codes = Table("recovery_codes", metadata, RecoveryCodeColumns)
