import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from fast_zero.core.pagination import Cursor, PageParams, decode_cursor, encode_cursor, split_page
from fast_zero.core.security import create_access_token
from fast_zero.core.types import MAX_BIGINT
from fast_zero.identity.scopes import Scope
from tests.factories import PostFactory, ProjectFactory, TodoFactory, UserFactory

PATTERN = TypeAdapter(Cursor).json_schema()["pattern"]

positions = st.integers(0, MAX_BIGINT)


@given(positions)
def test_a_cursor_is_decoded_to_what_was_encoded(position):
    assert decode_cursor(encode_cursor(position)) == position


@given(positions)
def test_a_cursor_needs_no_escaping_in_a_url(position):
    cursor = encode_cursor(position)

    assert len(cursor) == 11
    assert cursor.replace("-", "a").replace("_", "a").isalnum()


@given(positions)
def test_a_cursor_matches_the_pattern_in_the_document(position):
    assert re.fullmatch(PATTERN, encode_cursor(position))


@given(st.from_regex(PATTERN, fullmatch=True))
def test_every_string_that_matches_the_pattern_is_a_cursor(cursor):
    assert encode_cursor(decode_cursor(cursor)) == cursor


@given(
    st.text()
    | st.text("ABCDEFGHabcdefgh0123456789-_+/= \n", max_size=14)
    | st.binary(max_size=9).map(lambda raw: base64.urlsafe_b64encode(raw).decode())
    | st.none()
    | st.integers()
    | st.binary(max_size=11)
)
def test_only_encoded_cursors_are_decoded(text):
    try:
        position = decode_cursor(text)
    except ValueError as error:
        assert "not a cursor" in str(error)  # noqa: PT017  # some examples are cursors
    else:
        assert encode_cursor(position) == text


INVALID = """
    AAAAAAAAAAA= AAAAAAAAAAB __________8 AAAAAAAAAA AAAAAAAAAA+ AAAAAAAAAA\u00c0 AAAAAAAAAA\ud800
    """


@pytest.mark.parametrize("text", ["", " AAAAAAAAAAA", "AAAAAAAAAAA\n", None, 1, *INVALID.split()])
def test_an_invalid_cursor_is_refused(text):
    with pytest.raises(ValueError, match="not a cursor of this list"):
        decode_cursor(text)


@given(st.integers(0, 8), st.integers(1, 8))
def test_a_page_is_built_from_one_extra_row(available, limit):
    rows = TodoFactory.build_batch(min(available, limit + 1), owner_id=1)
    for number, row in enumerate(rows, start=1):
        row.id = number

    items, cursor = split_page(rows, PageParams(limit=limit))

    assert list(items) == rows[:limit]
    assert cursor == (encode_cursor(limit) if available > limit else None)


async def test_after_the_last_row_every_list_is_empty(anonymous, save, settings):
    [admin] = await save(UserFactory(role="admin"))
    [post] = await save(PostFactory(author_id=admin.id))
    [project, _] = await save(ProjectFactory(owner_id=admin.id), TodoFactory(owner_id=admin.id))
    token = create_access_token(settings, admin.id, MAX_BIGINT, frozenset(Scope))
    headers = {"Authorization": f"Bearer {token}"}
    document = (await anonymous.get("/openapi.json")).json()
    lists = [
        path.format(user_id=admin.id, post_id=post.id, project_id=project.id)
        for path, methods in document["paths"].items()
        if "offset" in [field["name"] for field in methods.get("get", {}).get("parameters", ())]
    ]

    assert len(lists) > 15
    for path in lists:
        for offset in (MAX_BIGINT, MAX_BIGINT - 1, 2**62, 10**17, 10**6):
            page = {"offset": offset, "limit": 100}
            response = await anonymous.get(path, params=page, headers=headers)
            assert response.status_code == 200, (path, offset, response.text)
            if path != f"/posts/{post.id}":  # a thread is never empty
                rows = [value for value in response.json().values() if isinstance(value, list)]
                assert rows == [[]], path
                assert response.json()["next"] is None
