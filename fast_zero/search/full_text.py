"""Full-text search, as SQL expressions about the todos of `USER_ID`.

Each takes the name of a parameter: an array of words, all of which are looked for. The last one is
the start of a word; after a phrase, it is "".
"""

from functools import cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    Boolean,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    SmallInteger,
    Text,
    and_,
    any_,
    bindparam,
    case,
    cast,
    column,
    false,
    func,
    literal_column,
    not_,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR, array

from fast_zero.todos.expressions import IS_CARRIED, USER_ID, labels, todo_labels, todos

# Literals: the bound parameters of a prepared statement are given when it is executed.
AND: ColumnElement[str] = literal_column("' & '")
OR: ColumnElement[str] = literal_column("' | '")
OPEN: ColumnElement[str] = literal_column("'('")
LINE: ColumnElement[str] = literal_column("E'\\n'")
CLOSE: ColumnElement[str] = literal_column("')'")
NONE: ColumnElement[int] = literal_column("0")
NO: ColumnElement[bool] = literal_column("false", Boolean)
MILLION: ColumnElement[int] = literal_column("1000000")
MARK: ColumnElement[str] = literal_column("'C'")
ONLY_MARKED: ColumnElement[Any] = literal_column("""'{c}'::"char"[]""")
MOST_STARTED: ColumnElement[int] = literal_column("100")
"""How many different words of a text that begin like the last one are marked."""

OF_LABEL: ColumnElement[float] = literal_column("0.5")
"""What a label that matches adds to the rank: a word in the title alone has 0.6."""


TOKEN = (
    column("parts", SmallInteger),
    column("place", SmallInteger),
    column("lexeme", Text),
    column("is_start", Boolean),
)


@cache
def wanted_words(name: str) -> CTE:
    """Return the words of a parameter, numbered, with the query of each one."""
    given: Any = bindparam(name, type_=ARRAY(Text))
    words = (
        func.unnest(given)
        .table_valued(column("word", Text), with_ordinality="number", name="given")
        .render_derived()
    )
    is_prefix = words.c.number == func.cardinality(given)
    query = func.search_query(words.c.word, is_prefix).table_valued(column("query", TSQUERY))
    query = query.render_derived()
    return materialized(
        select(words.c.number, words.c.word, is_prefix.label("is_prefix"), query.c.query)
        .select_from(words.join(query, true()))
        .where(func.numnode(query.c.query) > NONE),
        f"words_of_{name}",
    )


@cache
def matching_labels(name: str) -> CTE:
    """Return the labels that match a word, as a title would, with the number of the word."""
    words = wanted_words(name)
    vector = func.search_vector(labels.c.name, type_=TSVECTOR).label("vector")
    # With OFFSET, the vector of a label is computed once, and not for each word.
    own = select(labels.c.id, vector).where(labels.c.owner_id == USER_ID).offset(NONE).subquery()
    return materialized(
        select(words.c.number, own.c.id).select_from(
            own.join(words, own.c.vector.bool_op("@@")(words.c.query))
        ),
        f"labels_of_{name}",
    )


@cache
def tokens(name: str) -> CTE:
    words = wanted_words(name)
    found = func.search_tokens(words.c.word, words.c.is_prefix).table_valued(*TOKEN, name="found")
    found = found.render_derived()
    return materialized(
        select(words.c.number, *found.c).select_from(words.join(found, true())),
        f"tokens_of_{name}",
    )


def materialized(statement: Select[*tuple[Any, ...]], name: str) -> CTE:
    return statement.cte(name).prefix_with("MATERIALIZED")


def combined(name: str, operator: ColumnElement[str]) -> ColumnElement[str]:
    """Return the query of all words. Null: there are none."""
    query = OPEN + cast(wanted_words(name).c.query, Text) + CLOSE
    return select(cast(func.string_agg(query, operator), TSQUERY)).scalar_subquery()


def has_matching_label(name: str) -> ColumnElement[bool]:
    """Whether a todo carries a label that matches any word. The todos are selected once."""
    # As an array, which an index takes: the planner expects few matching labels.
    found = select(matching_labels(name).c.id.distinct()).scalar_subquery()
    is_matching = todo_labels.c.label_id == any_(func.array(found, type_=ARRAY(BigInteger)))
    return todos.c.id.in_(
        select(todo_labels.c.todo_id).where(todo_labels.c.owner_id == USER_ID, is_matching)
    )


def matches(name: str) -> ColumnElement[bool]:
    """Whether each word is in the title or the description of a todo, or a label matches it.

    CASE goes on only where it has to; and of its result, the planner does not expect that few todos
    match, for which it would sort all of them.
    """
    words, found = wanted_words(name), matching_labels(name)
    # Selected once for all todos, like those of `has_matching_label`.
    labelled = (
        select(todo_labels.c.todo_id, found.c.number)
        .join_from(todo_labels, found, todo_labels.c.label_id == found.c.id)
        .where(todo_labels.c.owner_id == USER_ID)
    )
    missing = (
        select(words.c.number)
        .where(
            not_(func.coalesce(contains(words.c.query), NO)),
            tuple_(todos.c.id, words.c.number).not_in(labelled),
        )
        .correlate(todos)
    )
    return case(
        (contains(combined(name, AND)), true()),
        (not_(select(found.c.id).exists()), false()),
        (has_matching_label(name), not_(missing.exists())),
        else_=false(),
    )


def contains(query: ColumnElement[str]) -> ColumnElement[bool]:
    return todos.c.search.bool_op("@@")(query)


def relevance(name: str) -> ColumnElement[int]:
    """Return a key that is lowest for the todo that matches best. A whole number, for cursors."""
    rank = func.coalesce(func.ts_rank(todos.c.search, combined(name, OR)), NONE)
    label = case((has_matching_label(name), OF_LABEL), else_=NONE)
    return cast(-(rank + label) * MILLION, Integer)


def highlights(name: str, page: FromClause) -> list[ColumnElement[Any]]:
    """Return the columns from which it is told where the words are: see `highlights`.

    `found_words` has for each word: its number, how many parts it has, which of them it is, and its
    position among the words of title and description.
    """
    lexeme = (
        func.unnest(wanted_part(name, page.c.search))
        .table_valued(
            column("lexeme", Text),
            column("positions", ARRAY(SmallInteger)),
            column("weights"),
            name="own",
        )
        .render_derived()
    )
    token = tokens(name)
    is_token = or_(
        lexeme.c.lexeme == token.c.lexeme,
        and_(token.c.is_start, func.starts_with(lexeme.c.lexeme, token.c.lexeme)),
    )
    position = func.unnest(lexeme.c.positions).table_valued(column("position", Integer), name="at")
    position = position.render_derived()
    place = array([token.c.number, token.c.parts, token.c.place, position.c.position])
    found = select(place).select_from(lexeme.join(token, is_token).join(position, true()))
    text = page.c.title + LINE + page.c.description
    # With IS TRUE, it is hashed once. As a join, it would be read for each label of each todo.
    is_matching = labels.c.id.in_(select(matching_labels(name).c.id)).is_(true())
    found_labels = (
        select(labels.c.name)
        .join_from(todo_labels, labels, IS_CARRIED)
        .where(todo_labels.c.owner_id == USER_ID, todo_labels.c.todo_id == page.c.id, is_matching)
        .correlate(page)
    )
    # psycopg returns arrays as lists. As text for SQLAlchemy, they are passed on unchanged.
    return [
        func.word_lengths(text, type_=Text).label("lengths"),
        func.array(found.correlate(page).scalar_subquery(), type_=Text).label("found_words"),
        func.array(found_labels.scalar_subquery(), type_=Text).label("found_labels"),
    ]


def wanted_part(name: str, vector: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the part of a vector whose lexemes are tokens, or begin with the last one.

    To join all lexemes with the tokens took 18 ms for a long text, and this takes one: it marks
    those that are wanted with a weight that no other has.
    """
    token = tokens(name)
    exact = func.array(select(token.c.lexeme).scalar_subquery(), type_=ARRAY(Text))
    starts = select(token.c.lexeme).where(token.c.is_start).scalar_subquery()
    own = func.unnest(func.tsvector_to_array(vector)).column_valued("own_lexeme")
    is_start = own.bool_op("^@")(any_(func.array(starts, type_=ARRAY(Text))))
    started = select(own).where(is_start).limit(MOST_STARTED).scalar_subquery()
    wanted = exact.concat(func.array(started, type_=ARRAY(Text)))
    return func.ts_filter(func.setweight(vector, MARK, wanted), ONLY_MARKED)
