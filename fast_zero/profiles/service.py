from fast_zero.core.database import AnyRow, Session
from fast_zero.core.errors import NotFound
from fast_zero.people import queries as people_queries
from fast_zero.people.models import NO_USER
from fast_zero.profiles import queries
from fast_zero.profiles.schemas import Profile


async def read_profile(session: Session, reader_id: int, user_id: int) -> tuple[Profile, int]:
    """Return a profile as the reader can see it, and the version of the account."""
    return to_profile(await queries.select_profile(session, reader_id, user_id), reader_id)


async def read_profile_by_name(
    session: Session, reader_id: int, username: str
) -> tuple[Profile, int]:
    found = await queries.select_profile_by_name(session, reader_id, username)
    return to_profile(found, reader_id)


def to_profile(found: AnyRow | None, reader_id: int) -> tuple[Profile, int]:
    if found is None:
        raise NotFound(NO_USER)
    profile = Profile.model_validate(found)
    if reader_id == people_queries.NOBODY:  # without a log-in there is no relation
        profile.following = profile.followed_by = None
    return profile, found.version
