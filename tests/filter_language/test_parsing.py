"""The language of filters: what it means, what it is written as, and what is wrong."""

import unicodedata
from datetime import date

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from fast_zero.filter_language import vocabulary
from fast_zero.filter_language.parsing import DEEPEST, LONGEST, MOST, FilterError, parse
from fast_zero.filter_language.syntax import And, Condition, Not, Offset, Or, Text, Weekday, depth
from fast_zero.filter_language.vocabulary import Field, folded
from fast_zero.todos.models import Priority, TodoState
from tests.asts import filters

CONDITION = "a condition, such as due:today, a word, or text in quotes"
VALUE = "a value: a word, or text in quotes"
FURTHER = "and, or, another condition, or the end"


def is_(field: str, *values, operator: str = "=") -> Condition:
    return Condition(Field(field), operator, values)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("due:today", is_("due", Offset(0))),
        ("due<=friday", is_("due", Weekday(5), operator="<=")),
        ("due:none", is_("due", None)),
        ("overdue", is_("is", "overdue")),
        ('project:"Home"', is_("project", "Home")),
        ("label:errands", is_("label", "errands")),
        ("section:Later", is_("section", "Later")),
        ("priority>=high", is_("priority", "high", operator=">=")),
        ("state:todo,doing", is_("state", "todo", "doing")),
        ("is:open", is_("is", "open")),
        ("is:recurring", is_("is", "recurring")),
        ("is:blocked", is_("is", "blocked")),
        ("created<7d", is_("created", Offset(-7), operator=">")),
        ("created:7d", is_("created", Offset(-7))),
        ("due<7d", is_("due", Offset(7), operator="<")),
        ("due > -2w", is_("due", Offset(-14), operator=">")),
        ("deadline=2026-12-04", is_("deadline", date(2026, 12, 4))),
        ("DUE:Today", is_("due", Offset(0))),
        ('label:none,"none"', is_("label", None, "none")),
        ('label:" a "', is_("label", "a")),
        ("label:a,a", is_("label", "a")),
        ("priority:none", is_("priority", "none")),
        ("label:and,not", is_("label", "and", "not")),
        ("buy bread", And((Text("buy"), Text("bread")))),
        ('"buy  bread"', Text("buy  bread")),
        ("“dark bread”", Text("dark bread")),
        ('"a ""b"""', Text('a "b"')),
        ('"and"', Text("and")),
        ('"overdue"', Text("overdue")),
        ("android nothing", And((Text("android"), Text("nothing")))),
        ("a or b and c", Or((Text("a"), And((Text("b"), Text("c")))))),
        ("a b or c", Or((And((Text("a"), Text("b"))), Text("c")))),
        ("(a or b) c", And((Or((Text("a"), Text("b"))), Text("c")))),
        ("not a b", And((Not(Text("a")), Text("b")))),
        ("not (a b)", Not(And((Text("a"), Text("b"))))),
        ("not not a", Not(Not(Text("a")))),
        ("(a b) (c d)", And(tuple(map(Text, "abcd")))),
        ("((((a))))", Text("a")),
    ],
)
def test_a_filter_is_parsed(text, expected):
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("portuguese", "english"),
    [
        ("vence:hoje", "due:today"),
        ("VENCE:AMANHÃ", "due:tomorrow"),
        ("vence:ontem", "due:yesterday"),
        ("vence<=sexta-feira", "due<=friday"),
        ("vence:terça,sábado", "due:tuesday,saturday"),
        ("vence:nenhum", "due:none"),
        ("vence<2sem", "due<14d"),
        ("começa<=hoje", "starts<=today"),
        ("prazo:segunda", "deadline:monday"),
        ("criada<7d", "created<7d"),
        ("alterado>=ontem", "updated>=yesterday"),
        ("concluída:hoje", "completed:today"),
        ("projeto:Casa", "project:Casa"),
        ('seção:"Mais tarde"', 'section:"Mais tarde"'),
        ("etiqueta:mercado", "label:mercado"),
        ("etiqueta:nenhuma", "label:none"),
        ("prioridade>=alta", "priority>=high"),
        ("prioridade:média,urgente,nenhuma", "priority:medium,urgent,none"),
        ("estado:fazer,fazendo,rascunho", "state:todo,doing,draft"),
        ("é:aberta", "is:open"),
        ("e:aberta", "is:open"),
        ("está:bloqueada", "is:blocked"),
        ("atrasada", "overdue"),
        ("pão e não leite ou queijo", "pão and not leite or queijo"),
        ("pa\u0303o E NA\u0303O leite", "pa\u0303o and not leite"),
        ("vence:hoje e é:aberta e etiqueta:e", "due:today and is:open and label:e"),
    ],
)
def test_portuguese_is_read_and_written_in_english(portuguese, english):
    assert str(parse(portuguese)) == english
    assert parse(english) == parse(portuguese)


@pytest.mark.parametrize(
    ("text", "column", "expected"),
    [
        ("", 1, CONDITION),
        ("  ", 3, CONDITION),
        ("due:", 5, VALUE),
        ("label:a,", 9, VALUE),
        ("label:(a)", 7, VALUE),
        ("not", 4, CONDITION),
        ("a and", 6, CONDITION),
        ("a or or b", 6, CONDITION),
        ("or a", 1, CONDITION),
        ("a and e", 7, CONDITION),
        ("()", 2, CONDITION),
        (":today", 1, CONDITION),
        ("a)", 2, FURTHER),
        ("a, b", 2, FURTHER),
        ("a:b:c", 4, FURTHER),
        ("label:b:c", 8, FURTHER),
        ("(a", 3, "and, or, another condition, or a closing bracket"),
        ('a "b', 3, "a quotation mark that ends this text"),
        ("a “b", 3, "a quotation mark that ends this text"),
        ("12:30", 1, "a field (due, starts,"),
        ("a\nwhen:today", 3, "a field (due, starts,"),
        (
            "due:tody",
            5,
            "a day: today, tomorrow, yesterday, a weekday such as friday, 2026-12-04, 3d",
        ),
        ("due:2026-13-01", 5, "3d (in three days), -3d (three days ago), or none"),
        ("created:-3d", 9, "or an age such as 3d"),
        ("created:none", 9, "or an age such as 3d"),
        ("completed:+3d", 11, "an age such as 3d, or none"),
        ("due<none", 5, "a day, since none has no order"),
        ("due<today,monday", 11, "one value, since only a colon takes several"),
        ("label<a", 6, "a colon, since this field has no order"),
        ("state>=todo", 6, "a colon, since this field has no order"),
        ("state:open", 7, "draft, todo, doing, done or trash"),
        ("priority:3", 10, "none, low, medium, high or urgent"),
        ("is:late", 4, "open, done, overdue, blocked, recurring or subtask"),
        ('label:" "', 7, "a name"),
        ('""', 1, "text between the quotation marks, other than accents alone"),
        ('a "\u0301"', 3, "text between the quotation marks, other than accents alone"),
        ("é:aberta é:x", 12, "open, done, overdue, blocked, recurring or subtask"),
    ],
)
def test_a_mistake_is_named_with_its_column_and_what_was_expected(text, column, expected):
    with pytest.raises(FilterError) as raised:
        parse(text)

    assert raised.value.column == column
    assert expected in raised.value.expected
    # The names of the grammar, which mean nothing to people.
    assert not {"WORD", "PHRASE", "LPAR", "RPAR", "$END"} & set(raised.value.expected.split())


def test_length_depth_and_number_of_conditions_are_bounded():
    assert depth(parse("not " * (DEEPEST - 1) + "a")) == DEEPEST
    parse(" ".join(["a"] * MOST))
    parse("a" * LONGEST)
    for text, column in (
        ("b or " + "not " * DEEPEST + "a", 6),
        (" ".join(["a"] * (MOST + 1)), 1),
        ("b or label:" + ",".join(str(number) for number in range(MOST + 1)), 6),
        ("a" * (LONGEST + 1), LONGEST + 1),
    ):
        with pytest.raises(FilterError) as raised:
            parse(text)
        assert raised.value.column == column
        assert raised.value.expected.startswith("at most")


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("(" * 999, 1000),
        ("(" * 499 + "a" + ")" * 499, None),
        ("not " * 249 + "a", 957),
        ("(not " * 150 + "a" + ")" * 150, 702),
    ],
)
def test_deep_brackets_do_not_overflow_the_stack(text, column):
    assert column_of_mistake(text) == column


def column_of_mistake(text: str) -> int | None:
    try:
        parse(text)
    except FilterError as error:
        return error.column
    return None


words = st.text(min_size=1, max_size=8).filter(
    lambda text: any(not "\u0300" <= sign <= "\u036f" for sign in text)
)
names = st.text(min_size=1, max_size=8).map(str.strip).filter(bool)


@given(filters(words, names, near=9999))
@example(And((Text("e"), Text('"'), Text("não"), Text("atrasada"), Text("a:b"), Text("“"))))
@example(Condition(Field.LABEL, "=", ("none", None, 'a"b', "nenhum", "“")))
@example(Condition(Field.CREATED, "<", (Offset(-1),)))
def test_the_canonical_text_means_the_same(wanted):
    text = str(wanted)
    assume(len(text) <= LONGEST)

    assert parse(text) == wanted
    assert str(parse(text)) == text


parts = st.sampled_from(
    [*'()",:<>=“” \n', "due", "label", "today", "7d", "and", "e", "or", "not", "none", "overdue"]
)


@given(st.lists(parts | st.characters(), max_size=40).map("".join))
def test_any_text_is_parsed_or_has_a_column(text):
    column = column_of_mistake(text)

    if column is None:
        assert parse(str(parse(text))) == parse(text)
    else:
        assert 1 <= column <= len(text) + 1


def test_the_vocabulary_is_that_of_todos():
    assert set(vocabulary.STATES.values()) == {state.value for state in TodoState}
    assert list(dict.fromkeys(vocabulary.PRIORITIES.values())) == [each.value for each in Priority]


def test_words_are_looked_up_without_case_and_accents():
    tables = (
        vocabulary.FIELDS,
        vocabulary.NONE,
        vocabulary.STATES,
        vocabulary.PRIORITIES,
        vocabulary.FLAGS,
        vocabulary.NEAR,
        vocabulary.WEEKDAYS,
    )
    for table in tables:
        assert all(folded(word) == word for word in table)
    assert folded("AMANHÃ") == folded(unicodedata.normalize("NFD", "amanhã")) == "amanha"
