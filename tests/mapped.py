"""The tables as classes, whose objects tests store and read back. The program itself maps none."""

from sqlalchemy.orm import DeclarativeBase

from fast_zero import models
from fast_zero.core.tables import metadata as tables


class Base(DeclarativeBase):
    metadata = tables


class AuditEvent(Base):
    __table__ = models.audit_events


class Block(Base):
    __table__ = models.blocks


class Completion(Base):
    __table__ = models.completions


class EarlierText(Base):
    __table__ = models.earlier_texts


class EndedSession(Base):
    __table__ = models.ended_sessions


class Follow(Base):
    __table__ = models.follows


class Invitation(Base):
    __table__ = models.invitations


class KeptAnswer(Base):
    __table__ = models.kept_answers


class Like(Base):
    __table__ = models.likes


class LoginSession(Base):
    __table__ = models.login_sessions


class MailedLink(Base):
    __table__ = models.mailed_links


class Notification(Base):
    __table__ = models.notifications


class PersonalToken(Base):
    __table__ = models.personal_tokens


class Post(Base):
    __table__ = models.posts


class RecoveryCode(Base):
    __table__ = models.recovery_codes


class Retraction(Base):
    __table__ = models.retractions


class SecondFactor(Base):
    __table__ = models.second_factors


class SpentRefreshToken(Base):
    __table__ = models.spent_refresh_tokens


class Tally(Base):
    __table__ = models.tallies


class TallyChange(Base):
    __table__ = models.tally_changes


class Throttle(Base):
    __table__ = models.throttles


class Todo(Base):
    __table__ = models.todos


class User(Base):
    __table__ = models.users


class WeeklyReport(Base):
    __table__ = models.weekly_reports
