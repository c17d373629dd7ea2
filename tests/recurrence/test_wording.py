import pytest

from fast_zero.recurrence.rules import parse
from fast_zero.recurrence.wording import text, texts


@pytest.mark.parametrize(
    ("rule", "english", "portuguese"),
    [
        ("FREQ=DAILY", "every day", "todo dia"),
        ("FREQ=DAILY;COUNT=1", "every day, 1 time", "todo dia, 1 vez"),
        ("FREQ=DAILY;COUNT=10", "every day, 10 times", "todo dia, 10 vezes"),
        ("FREQ=DAILY;INTERVAL=3", "every 3 days", "a cada 3 dias"),
        (
            "FREQ=DAILY;UNTIL=20261205",
            "every day until December 5, 2026",
            "todo dia até 5 de dezembro de 2026",
        ),
        ("FREQ=WEEKLY", "every week", "toda semana"),
        ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "every weekday", "todo dia útil"),
        ("FREQ=WEEKLY;BYDAY=MO,TH", "every Monday and Thursday", "toda segunda e quinta"),
        ("FREQ=WEEKLY;BYDAY=SA,SU", "every Saturday and Sunday", "todo sábado e domingo"),
        (
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE,FR",
            "every 2 weeks on Monday, Wednesday and Friday",
            "a cada 2 semanas, segunda, quarta e sexta",
        ),
        ("FREQ=MONTHLY;BYMONTHDAY=15", "every month on the 15th", "todo dia 15"),
        (
            "FREQ=MONTHLY;BYMONTHDAY=-1",
            "every month on the last day",
            "todo último dia do mês",
        ),
        (
            "FREQ=MONTHLY;BYMONTHDAY=1,22,-1",
            "every month on the 1st, the 22nd and the last day",
            "todo dia 1, 22 e último dia do mês",
        ),
        (
            "FREQ=MONTHLY;BYDAY=-1FR",
            "every month on the last Friday",
            "toda última sexta do mês",
        ),
        (
            "FREQ=MONTHLY;BYDAY=1SA,-1MO",
            "every month on the first Saturday and the last Monday",
            "todo primeiro sábado e última segunda do mês",
        ),
        (
            "FREQ=MONTHLY;INTERVAL=3;BYDAY=2TU",
            "every 3 months on the second Tuesday",
            "a cada 3 meses, segunda terça",
        ),
        (
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=5",
            "every month on the fifth weekday",
            "todo quinto dia útil do mês",
        ),
        ("FREQ=YEARLY", "every year", "todo ano"),
        (
            "FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=6",
            "every year on January 6",
            "todo ano, 6 de janeiro",
        ),
        (
            "FREQ=YEARLY;BYMONTH=1,7;BYMONTHDAY=6",
            "every year on January 6 and July 6",
            "todo ano, 6 de janeiro e 6 de julho",
        ),
        (
            "FREQ=YEARLY;BYMONTH=11;BYDAY=-1TH",
            "every year on the last Thursday of November",
            "todo ano, última quinta de novembro",
        ),
    ],
)
def test_a_rule_has_words_in_both_languages(rule, english, portuguese):
    assert texts(rule, from_completion=False) == {"en": english, "pt-BR": portuguese}


def test_the_words_say_that_it_is_counted_from_the_completion():
    assert texts("FREQ=DAILY;INTERVAL=3", from_completion=True) == {
        "en": "every 3 days after completion",
        "pt-BR": "a cada 3 dias após concluir",
    }


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY;BYDAY=MO",
        "FREQ=DAILY;BYMONTH=1",
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;WKST=SU",
        "FREQ=WEEKLY;BYMONTH=1;BYDAY=MO",
        "FREQ=MONTHLY;BYMONTHDAY=-2",
        "FREQ=MONTHLY;BYMONTHDAY=1;BYDAY=MO",
        "FREQ=MONTHLY;BYDAY=MO",
        "FREQ=MONTHLY;BYDAY=-2MO",
        "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=1",
        "FREQ=MONTHLY;BYMONTH=1;BYMONTHDAY=1",
        "FREQ=YEARLY;BYMONTH=1",
        "FREQ=YEARLY;BYMONTHDAY=1",
        "FREQ=YEARLY;BYDAY=20MO",
        "FREQ=YEARLY;BYMONTH=1,2;BYMONTHDAY=1,2;BYDAY=MO",
        "FREQ=DAILY;UNTIL=20261205T120000Z",
        "FREQ=DAILY;UNTIL=99991229",
    ],
)
@pytest.mark.parametrize("language", ["en", "pt-BR"])
def test_a_rule_that_cannot_be_said_has_no_words(rule, language):
    assert text(parse(rule), language, from_completion=False) is None
