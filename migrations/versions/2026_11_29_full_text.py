"""Todos have the words of their title and description for full-text search.

The column is no field of a todo: nothing logs it, and to fill it in is no change. What cannot run
in a transaction can run again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

kind = "expand"

# Without punctuation, each word is one token: the parser would read addresses, compounds and tags
# as others than their parts, and some texts in quadratic time. What has a combining accent is
# composed, as the stems expect. Upper case first, so that both Greek small sigmas become the same
# letter.
FUNCTIONS = {
    "written_words(given text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE": r"""
SELECT regexp_replace(
    CASE WHEN given ~ '[\u0300-\u036f]' THEN normalize(given, NFC) ELSE given END,
    '[!-/:-@\[-`{-~]', ' ', 'g'
)
""",
    "folded_words(given text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE": r"""
SELECT regexp_replace(
    CASE WHEN octet_length(given) = char_length(given) THEN lower(given)
        ELSE regexp_replace(normalize(lower(upper(given)), NFD), '[\u0300-\u036f]', '', 'g')
    END,
    '[!-/:-@\[-`{-~]', ' ', 'g'
)
""",
    # United as text, and not by `||`, so that a word has one position in all of them.
    "search_vector(given text) RETURNS tsvector LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE": """
DECLARE
    words text := written_words(given);
BEGIN
    RETURN CAST(
        concat_ws(
            ' ',
            to_tsvector('pg_catalog.portuguese', words),
            to_tsvector('pg_catalog.english', words),
            to_tsvector('pg_catalog.simple', folded_words(given))
        ) AS tsvector
    );
EXCEPTION WHEN program_limit_exceeded THEN
    RETURN '';
END
""",
    # Several words are a phrase. What is given is never read as the syntax of a query.
    "search_query(given text, is_prefix boolean) RETURNS tsquery"
    " LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE": """
DECLARE
    words text := written_words(given);
    folded tsquery := phraseto_tsquery('pg_catalog.simple', folded_words(given));
BEGIN
    IF is_prefix AND numnode(folded) > 0 THEN
        folded := CAST(CAST(folded AS text) || ':*' AS tsquery);
    END IF;
    RETURN phraseto_tsquery('pg_catalog.portuguese', words)
        || phraseto_tsquery('pg_catalog.english', words) || folded;
END
""",
    # What marks a word: the lexemes at the place of each of its parts, and the start of the last.
    "search_tokens(given text, is_prefix boolean)"
    " RETURNS TABLE (parts smallint, place smallint, lexeme text, is_start boolean)"
    " LANGUAGE sql IMMUTABLE PARALLEL SAFE": """
SELECT max(place) OVER (), place, lexeme, is_start
FROM (
    SELECT false, search_vector(given)
    UNION ALL
    SELECT true, to_tsvector('pg_catalog.simple', folded_words(given)) WHERE is_prefix
) AS vectors (is_start, vector), unnest(vector), unnest(positions) AS place
""",
    # The lengths of the words of a text, and below zero those of what is between them and of words
    # that are too long for a vector. Null: there are only characters of which regular expressions
    # know as well whether they are in words.
    "word_lengths(given text) RETURNS integer[] LANGUAGE sql IMMUTABLE PARALLEL SAFE": r"""
SELECT CASE WHEN given ~ '[^\u0001-\u007e\u00c0-\u024f\u2010-\u2027\u20ac]' THEN ARRAY(
    SELECT CASE WHEN tokid = 12 OR octet_length(token) > 2046 THEN -1 ELSE 1 END
        * char_length(token)
    FROM ts_parse('default', regexp_replace(given, '[!-/:-@\[-`{-~]', ' ', 'g'))
) END
""",
    "index_words() RETURNS trigger LANGUAGE plpgsql": """
BEGIN
    NEW.search := setweight(search_vector(NEW.title), 'A');
    IF NEW.description <> '' THEN
        NEW.search := NEW.search || setweight(search_vector(NEW.description), 'B');
    END IF;
    RETURN NEW;
END
""",
}
# The name of the first one sorts before those that write the column.
TRIGGERS = (
    (
        "count_version BEFORE UPDATE ON todos FOR EACH ROW"
        " WHEN (OLD.search IS NOT NULL OR NEW.search IS NULL) EXECUTE FUNCTION count_version()"
    ),
    "index_new_words BEFORE INSERT ON todos FOR EACH ROW EXECUTE FUNCTION index_words()",
    (
        "index_words BEFORE UPDATE OF title, description ON todos FOR EACH ROW"
        " WHEN (NEW.title <> OLD.title OR NEW.description <> OLD.description)"
        " EXECUTE FUNCTION index_words()"
    ),
)
COUNT_VERSION = "count_version BEFORE UPDATE ON todos FOR EACH ROW EXECUTE FUNCTION count_version()"
LOG_CHANGE = (
    "log_change AFTER INSERT OR UPDATE OR DELETE ON todos FOR EACH ROW"
    " EXECUTE FUNCTION log_change('id', 'project_id', '{{{}}}')"
)
NOT_LOGGED = "id,owner_id,version,updated_at"
# In parts, so that no transaction locks many rows for long. What others have locked is left out at
# first: they lock several rows in any order, so waiting for them could be a deadlock.
PART = 2000
WORDS = "setweight(search_vector(title), 'A') || setweight(search_vector(description), 'B')"
FILL = """
UPDATE todos SET search = {words} WHERE id IN (
    SELECT id FROM todos WHERE id > {after} AND id <= {after} + {part} AND search IS NULL
    FOR UPDATE SKIP LOCKED
)
"""
LEFT_OUT = "SELECT id FROM todos WHERE search IS NULL"
FILL_ONE = "UPDATE todos SET search = {words} WHERE id = {id} AND search IS NULL"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for head, body in FUNCTIONS.items():
            op.execute(f"CREATE OR REPLACE FUNCTION {head} AS $${body}$$")
        op.execute("ALTER TABLE todos ADD COLUMN IF NOT EXISTS search tsvector")
        for definition in (*TRIGGERS, LOG_CHANGE.format(f"{NOT_LOGGED},search")):
            op.execute(f"CREATE OR REPLACE TRIGGER {definition}")
        last = op.get_bind().scalar(sa.text("SELECT coalesce(max(id), 0) FROM todos")) or 0
        for after in range(0, last, PART):
            op.execute(FILL.format(words=WORDS, after=after, part=PART))
        for id_ in op.get_bind().scalars(sa.text(LEFT_OUT)).all():
            op.execute(FILL_ONE.format(words=WORDS, id=id_))


def downgrade() -> None:
    for definition in (COUNT_VERSION, LOG_CHANGE.format(NOT_LOGGED)):
        op.execute(f"CREATE OR REPLACE TRIGGER {definition}")
    for name in ("index_new_words", "index_words"):
        op.execute(f"DROP TRIGGER {name} ON todos")
    op.drop_column("todos", "search")
    for head in reversed(FUNCTIONS):
        op.execute(f"DROP FUNCTION {head.partition('(')[0]}")
