from datetime import datetime

from sqlalchemy import ForeignKey, Identity, Index, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from fast_zero.core.database import Base
from fast_zero.core.errors import Reason

NO_SUBSCRIPTION = Reason("push_subscription_not_found", "Push subscription not found")


class PushSubscription(Base):
    """Where a browser receives pushes, and the keys that they are encrypted with (RFC 8291).

    Whoever knows the endpoint can send to the browser, so it is a secret like the keys. A trigger
    of notifications defers a job for each subscription of their receiver.
    """

    __tablename__ = "push_subscriptions"
    __table_args__ = (UniqueConstraint("endpoint"), Index(None, "owner_id", "id"))

    id: Mapped[int] = mapped_column(Identity(always=True), init=False, primary_key=True)
    owner_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE", info={"current_user": True})
    )
    endpoint: Mapped[str] = mapped_column(repr=False)
    p256dh: Mapped[str] = mapped_column(repr=False)  # the public key, in base64url
    auth: Mapped[str] = mapped_column(repr=False)  # the shared secret, in base64url
    created_at: Mapped[datetime] = mapped_column(init=False, server_default=func.now())
    last_success_at: Mapped[datetime | None] = mapped_column(init=False)
    last_failure_at: Mapped[datetime | None] = mapped_column(init=False)
