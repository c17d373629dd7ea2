"""The words of the language, in English and Portuguese: without case and accents."""

import unicodedata
from collections.abc import Mapping
from enum import StrEnum


class Field(StrEnum):
    DUE = "due"
    STARTS = "starts"
    DEADLINE = "deadline"
    CREATED = "created"
    UPDATED = "updated"
    COMPLETED = "completed"
    PROJECT = "project"
    SECTION = "section"
    LABEL = "label"
    PRIORITY = "priority"
    STATE = "state"
    IS = "is"


AHEAD = (Field.DUE, Field.STARTS, Field.DEADLINE)
"""Days that mostly are to come: `3d` is in three days, and `friday` the next one."""

BEHIND = (Field.CREATED, Field.UPDATED, Field.COMPLETED)
"""Days that have passed: `3d` is three days ago, and `friday` the last one."""

NAMED = (Field.PROJECT, Field.SECTION, Field.LABEL)

NEVER_NONE = (Field.CREATED, Field.UPDATED)


def folded(word: str) -> str:
    """Return a word without case and accents."""
    decomposed = unicodedata.normalize("NFKD", word.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def words(english: Mapping[str, str]) -> dict[str, str]:
    """Return what each word means, in English. Other spellings follow with spaces between."""
    meanings = {word: word for word in english}
    for meaning, others in english.items():
        meanings |= dict.fromkeys(others.split(), meaning)
    return meanings


FIELDS = words(
    {
        Field.DUE.value: "vence vencimento",
        Field.STARTS.value: "comeca inicio",
        Field.DEADLINE.value: "prazo",
        Field.CREATED.value: "criada criado",
        Field.UPDATED.value: "alterada alterado atualizada atualizado",
        Field.COMPLETED.value: "concluida concluido",
        Field.PROJECT.value: "projeto",
        Field.SECTION.value: "secao",
        Field.LABEL.value: "etiqueta",
        Field.PRIORITY.value: "prioridade",
        Field.STATE.value: "estado",
        Field.IS.value: "e esta",
    }
)
NONE = words({"none": "nenhum nenhuma"})
STATES = words(
    {
        "draft": "rascunho",
        "todo": "fazer",
        "doing": "fazendo",
        "done": "feita feito concluida concluido",
        "trash": "lixo lixeira",
    }
)
PRIORITIES = words(
    {
        "none": "nenhum nenhuma",
        "low": "baixa baixo",
        "medium": "media medio",
        "high": "alta alto",
        "urgent": "urgente",
    }
)
"""The lowest first."""

FLAGS = words(
    {
        "open": "aberta aberto",
        "done": "feita feito concluida concluido",
        "overdue": "atrasada atrasado",
        "blocked": "bloqueada bloqueado",
        "recurring": "recorrente",
        "subtask": "subtarefa",
    }
)
OVERDUE = {word for word, meaning in FLAGS.items() if meaning == "overdue"}
"""The flag that can be written without `is:`."""

NEAR = words({"today": "hoje", "tomorrow": "amanha", "yesterday": "ontem"})
NEAR_DAYS = {"today": 0, "tomorrow": 1, "yesterday": -1}
WEEKDAYS = words(
    {
        "monday": "mon segunda segunda-feira seg",
        "tuesday": "tue terca terca-feira ter",
        "wednesday": "wed quarta quarta-feira qua",
        "thursday": "thu quinta quinta-feira qui",
        "friday": "fri sexta sexta-feira sex",
        "saturday": "sat sabado sab",
        "sunday": "sun domingo dom",
    }
)
WEEKDAY_NAMES = list(dict.fromkeys(WEEKDAYS.values()))
"""From Monday."""

UNITS = {"d": 1, "w": 7, "sem": 7}
"""The days of a unit: days, and weeks in both languages."""

OPERATORS = {"and", "e", "or", "ou", "not", "nao"}
