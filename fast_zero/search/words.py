"""The words that `q` looks for."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from fast_zero.core.types import RawText

MOST = 20
PHRASE_OR_WORD = re.compile(r'"([^"]*)"|([^"\s]+)')
PART = re.compile(r"[^\W_]+")
WRITTEN = re.compile(r"[^\s!-/:-@\[-`{-~]+")


def split_words(text: str) -> list[str]:
    """Split at white space; what is in quotes is one word.

    The last one of a search is the start of a word. After a phrase that is "", which starts none.
    """
    found = [each for each in PHRASE_OR_WORD.findall(text) if PART.search("".join(each))]
    words = [phrase or word for phrase, word in found]
    if found and found[-1][0]:
        words.append("")
    return [word for index, word in enumerate(words) if word not in words[index + 1 :]]


def check_words(text: str) -> str:
    if not split_words(text):
        message = "give a word to look for: a letter or a digit at least"
        raise ValueError(message)
    if len(WRITTEN.findall(text)) > MOST:
        message = f"give at most {MOST} words; the parts of compounds and addresses count, too"
        raise ValueError(message)
    return text


SearchText = Annotated[
    RawText,
    StringConstraints(min_length=1, max_length=200),
    AfterValidator(check_words),
    Field(examples=["bread bak"]),
]
