"""Which phrases are believed. What may as well be a name, or another word, stays in the title.

A phrase is believed if it is clear by itself, or as its `Evidence` says: by what stands beside it.
Capital letters, numbers and articles beside it speak against it.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from fast_zero.core.languages import Language
from fast_zero.quick_add.meanings import (
    DatePhrase,
    DurationPhrase,
    Evidence,
    LimitPhrase,
    Numeric,
    OnDay,
    OnWeekday,
    RecurrencePhrase,
    TimePhrase,
)
from fast_zero.quick_add.scanning import Phrase
from fast_zero.quick_add.tokens import Word
from fast_zero.quick_add.vocabulary import (
    BOOKS,
    COMPOUNDS,
    DETERMINERS,
    DOTTED_TITLES,
    FUNCTION_WORDS,
    HINTS,
    MEDIA,
    MEDIA_VERBS,
    MONTH_WORDS,
    NUMBERED,
    ORDINAL_WORDS,
    ORDINALS_BEFORE,
    PERSON_VERBS,
    POSTPONING,
    RANGES,
    RATIOS,
    READING,
    SHORT_WORDS,
    STREETS,
    TITLES,
    TOPICS,
    VALUED,
    VERBS,
    WORDS,
)

ABBREVIATION = 3
UNITS = {word for name in ("DAY", "WEEK", "MONTH", "YEAR") for word in WORDS[name].split()}
TIME_UNITS = {word for listed in VALUED["TIME_UNIT"].values() for word in listed.split()}
OFTEN_CAPITALIZED = {"tomorrow", "tonight"}
NAMED_TIMES = {"noon", "midnight", "meio-dia", "meia-noite"}
MORNING = {"morning", "manha", "breakfast", "cafe"}
EXCEPTIONS = {"except", "exceto", "but"}
CONJUNCTIONS = {"and", "e", "&", "or", "ou"}
LEADS = {word for name in ("AT", "ON", "EM", "BY", "FOR", "UNTIL") for word in WORDS[name].split()}
INFINITIVES = ("ar", "er", "ir", "or")


def language_of(words: Sequence[Word], default: Language) -> Language:
    """Return the language of a sentence: that of the account, unless its words are of another."""
    keys = [word.key for word in words]
    english = sum(key in HINTS["en"] for key in keys)
    portuguese = sum(key in HINTS["pt-BR"] for key in keys)
    portuguese += sum(not word.text.isascii() and word.text.isalpha() for word in words)
    if english == portuguese:
        return default
    return "en" if english > portuguese else "pt-BR"


class Sentence:
    """Words and the phrases that are found in them."""

    def __init__(
        self, words: Sequence[Word], phrases: Sequence[Phrase], language: Language
    ) -> None:
        self.words, self.language = words, language
        self.phrases = list(phrases)
        self.reads = any(word.key in READING for word in words)
        letters = [word for word in words if word.text[:1].isalpha()]
        self.shouts = all(word.text.isupper() for word in letters)
        self.drop_lists()
        self.phrases = [phrase for phrase in self.phrases if not self.is_impossible(phrase)]
        self.drop_names()

    def drop_lists(self) -> None:
        """Leave all days and times alone if there are several: a todo is due once."""
        if any(self.is_list(*pair) for pair in pairwise(self.phrases)):
            kinds = DatePhrase | TimePhrase
            self.phrases = [
                p for p in self.phrases if not (isinstance(p.meaning, kinds) or names_part(p))
            ]

    def believed(self) -> list[Phrase]:
        """Return the phrases that are believed: those for which others are evidence come last."""
        believed: list[Phrase] = [p for p in self.phrases if self.needed(p) is Evidence.NONE]
        left = [phrase for phrase in self.phrases if phrase not in believed]
        is_new = True
        while is_new and left:
            ready = [phrase for phrase in left if self.is_supported(phrase, believed)]
            believed, left = [*believed, *ready], [p for p in left if p not in ready]
            is_new = bool(ready)
        return sorted(believed, key=lambda phrase: phrase.begin)

    # Against a phrase

    def is_impossible(self, phrase: Phrase) -> bool:
        """Tell whether what stands beside a phrase makes it something else."""
        first = self.words[phrase.begin].key
        before, after = self.before(phrase), self.after(phrase)
        if before is not None and self.is_ruled_out(phrase, before.key):
            return True
        has_exception = is_recurrence(phrase) and after is not None and after.key in EXCEPTIONS
        if has_exception or self.continues_list(phrase) or self.is_of_something(phrase):
            return True
        last = self.words[phrase.end - 1].key
        if (first, last) == ("the", "13th") and self.is_beside_weekday(phrase):
            return True  # Friday the 13th
        is_number = after is not None and after.key.isdigit() and not self.is_phrase(after)
        is_film = self.words[phrase.end - 1 : phrase.end + 2]
        is_film_title = [word.key for word in is_film] == ["friday", "the", "13th"]
        return is_weekday(phrase) and (is_number or is_film_title)

    def is_ruled_out(self, phrase: Phrase, before: str) -> bool:
        """Tell whether the word before a phrase makes it something else: chapter 3/4."""
        first, meaning = self.words[phrase.begin].key, phrase.meaning
        is_weak = first not in LEADS and self.needed(phrase) is not Evidence.NONE
        if is_weak and (before in DETERMINERS or before in ORDINALS_BEFORE):
            return True
        is_number = isinstance(meaning, DurationPhrase | LimitPhrase) or (
            isinstance(meaning, DatePhrase) and isinstance(meaning.day, Numeric | OnDay)
        )
        if is_number and before in NUMBERED:
            return True
        is_half = before.isdigit() and first == "em"  # "de 8 em 8 horas"
        return is_half or (isinstance(meaning, TimePhrase) and before in RATIOS)

    def continues_list(self, phrase: Phrase) -> bool:
        """Tell whether another day stands beside: dia 10 e 25, 10 a 15 de abril."""
        if not is_day_of_month(phrase):
            return False
        following = [word.key for word in self.words[phrase.end : phrase.end + 2]]
        begin = phrase.begin + (self.words[phrase.begin].key in RANGES)
        leading = [word.key for word in self.words[max(begin - 2, 0) : begin]]
        lists = CONJUNCTIONS | RANGES
        if len(following) > 1 and following[0] in lists and following[1].isdigit():
            return True
        return len(leading) > 1 and leading[1] in RANGES and leading[0].isdigit()

    def is_of_something(self, phrase: Phrase) -> bool:
        """Tell whether a phrase says which thing is meant: the Nov 12 invoice, Mr. Friday."""
        before, first = self.words[max(phrase.begin - 2, 0) : phrase.begin], phrase.begin
        keys = ["", "", *(word.key for word in before)]
        title = keys[-2] if keys[-1] == "." else keys[-1]
        if title in TITLES or (keys[-1] == "." and title in DOTTED_TITLES):
            return self.words[first].key not in LEADS
        if isinstance(phrase.meaning, TimePhrase) or is_day_of_month(phrase):
            is_the = "the" in {keys[-1], self.words[first].key} or keys[-1] in {"a", "an"}
            if is_the and self.language == "en" and self.is_before_noun(phrase):
                return True
        if not isinstance(phrase.meaning, DatePhrase):
            return False
        is_street = title in STREETS and self.words[first].key.isdigit()
        is_moved = self.words[0].key in POSTPONING and (
            keys[-1] == "to" or self.words[first].key in {"from", "para", "pra", "pro"}
        )
        return is_street or is_moved or keys[-1] in TOPICS

    def is_before_noun(self, phrase: Phrase) -> bool:
        after = self.after(phrase)
        if after is None or self.is_phrase(after) or not after.text[:1].isalpha():
            return False
        return after.key not in FUNCTION_WORDS | CONJUNCTIONS | LEADS

    def is_beside_weekday(self, phrase: Phrase) -> bool:
        return any(other.end == phrase.begin and is_weekday(other) for other in self.phrases)

    def drop_names(self) -> None:
        """Leave names alone, from the last one on: in `Friday Night Lights`, all are one."""
        if self.shouts:
            return
        for phrase in reversed(self.phrases.copy()):
            if self.is_name(phrase):
                self.phrases.remove(phrase)

    def is_name(self, phrase: Phrase) -> bool:
        last = self.words[phrase.end - 1]
        before, after = self.before(phrase), self.after(phrase)
        if self.is_of_scripture(phrase, before):
            return True
        if last.is_capitalized() and last.text.isalpha() and self.is_name_after(phrase, after):
            return True
        if last.key in UNITS | TIME_UNITS and last.is_capitalized() and phrase.begin > 0:
            return True  # Around the World in 80 Days
        is_plural = phrase.meaning.evidence is Evidence.NEIGHBOR and is_recurrence(phrase)
        if is_plural and last.is_capitalized() and self.language != "en":
            return True  # "Dr. Domingos às 14h"
        return last.text == "Tom" or (before is not None and self.ends_name(phrase, before))

    def ends_name(self, phrase: Phrase, before: Word) -> bool:
        """Tell whether the word before a phrase begins a name that ends with it: Black Friday."""
        first = self.words[phrase.begin]
        is_word = first.is_capitalized() and first.text[0].isalpha()
        if not is_word or is_day_of_month(phrase):
            return False  # "Lunch with Anna Dec 15"
        if before.key in COMPOUNDS | MEDIA | MEDIA_VERBS:
            return True
        if first.key in NAMED_TIMES:
            return True
        is_short = len(first.text) <= ABBREVIATION and not self.is_before_time(phrase)
        if before.key in PERSON_VERBS and phrase.end - phrase.begin == 1:
            return is_short
        is_plain = self.is_first(before) and not before.text.isupper()
        if not before.is_capitalized() or is_plain or self.is_phrase(before):
            return False
        is_often_so = is_weekday(phrase) or first.key in OFTEN_CAPITALIZED
        return is_short or self.language != "en" or not is_often_so

    def is_before_time(self, phrase: Phrase) -> bool:
        return any(
            other.begin == phrase.end and isinstance(other.meaning, TimePhrase)
            for other in self.phrases
        )

    def is_name_after(self, phrase: Phrase, after: Word | None) -> bool:
        """Tell whether the word behind a phrase continues a name that begins with it."""
        if after is None or not after.is_capitalized() or self.is_phrase(after):
            return False
        if phrase.begin > 0 or self.needed(phrase) is not Evidence.NONE:
            return True
        following = self.words[phrase.end + 1 : phrase.end + 2]
        return any(word.is_capitalized() for word in following)

    def is_of_scripture(self, phrase: Phrase, before: Word | None) -> bool:
        is_time = isinstance(phrase.meaning, TimePhrase)
        return is_time and self.reads and before is not None and before.key in BOOKS

    # For a phrase

    def needed(self, phrase: Phrase) -> Evidence:
        """Return the evidence that a phrase needs: more, if its words are other words, too."""
        evidence = phrase.meaning.evidence
        if not isinstance(phrase.meaning, DatePhrase):
            return evidence
        first, last = self.words[phrase.begin], self.words[phrase.end - 1]
        if first is last and last.key == "ter":
            return Evidence.NEIGHBOR  # "to have"
        if evidence is Evidence.CONTEXT:
            is_odd = self.language != "en" and first.is_capitalized() and phrase.begin > 0
            return Evidence.END if is_odd or last.key in SHORT_WORDS else evidence
        if evidence is Evidence.NONE and is_weekday(phrase) and last.key in ORDINAL_WORDS:
            return Evidence.CONTEXT  # "na segunda fase"
        if evidence is Evidence.NONE and first.key == "for":
            return Evidence.CONTEXT  # "for Friday lunch"
        is_month = isinstance(phrase.meaning.day, OnDay) and {first.key, last.key} & MONTH_WORDS
        is_lower = not (first.is_capitalized() or last.is_capitalized())
        return Evidence.END if (is_month and is_lower) or last.key == "tom" else evidence

    def is_list(self, one: Phrase, other: Phrase) -> bool:
        """Tell whether two phrases are alternatives, such as Monday and Friday."""
        is_time = isinstance(other.meaning, TimePhrase) and (
            isinstance(one.meaning, TimePhrase) or names_part(one)
        )
        is_date = isinstance(one.meaning, DatePhrase) and isinstance(other.meaning, DatePhrase)
        between = self.words[one.end : other.begin]
        return (is_time or is_date) and len(between) == 1 and between[0].key in CONJUNCTIONS

    def is_supported(self, phrase: Phrase, believed: Sequence[Phrase]) -> bool:
        evidence = self.needed(phrase)
        if is_recurrence(phrase) and any(map(is_recurrence, believed)):
            return False  # "Weekly review every Sunday"
        if self.has_neighbor(phrase, believed):
            return True
        if evidence is Evidence.NEIGHBOR:
            return False
        if self.is_at_end(phrase, believed) or self.is_at_start(phrase, believed):
            return True
        return evidence is Evidence.CONTEXT and self.is_followed(phrase)

    def has_neighbor(self, phrase: Phrase, believed: Sequence[Phrase]) -> bool:
        """Tell whether a believed phrase of another kind is beside it, or one like itself."""
        kind = type(phrase.meaning)
        for other in self.phrases:
            if type(other.meaning) is kind or not self.are_beside(phrase, other):
                continue
            if phrase.meaning.evidence is Evidence.NEIGHBOR and is_recurrence(phrase):
                if isinstance(other.meaning, TimePhrase):
                    return True  # "terças às 15h"
                continue
            needed = self.needed(other), self.needed(phrase)
            if other in believed or min(needed) >= Evidence.END or max(needed) >= Evidence.CONTEXT:
                return True
        return False

    def are_beside(self, one: Phrase, other: Phrase) -> bool:
        first, second = (one, other) if one.begin < other.begin else (other, one)
        return all(word.is_mark or not word.key for word in self.words[first.end : second.begin])

    def is_at_end(self, phrase: Phrase, believed: Sequence[Phrase]) -> bool:
        return all(self.is_no_word(i, believed) for i in range(phrase.end, len(self.words)))

    def is_at_start(self, phrase: Phrase, believed: Sequence[Phrase]) -> bool:
        if not all(self.is_no_word(i, believed) for i in range(phrase.begin)):
            return False
        if phrase.end == len(self.words):
            return True
        word = self.words[phrase.end]
        is_infinitive = len(word.key) > ABBREVIATION and word.key.endswith(INFINITIVES)
        return (
            word.text in {":", ",", "-", "\u2013"}
            or word.key in VERBS
            or (is_infinitive and self.language == "pt-BR")
        )

    def is_followed(self, phrase: Phrase) -> bool:
        word = self.words[phrase.end]
        return phrase.begin > 0 and (word.is_mark or word.key in FUNCTION_WORDS)

    def is_of_morning(self) -> bool:
        return any(word.key in MORNING for word in self.words)

    def is_no_word(self, place: int, believed: Sequence[Phrase]) -> bool:
        word = self.words[place]
        if word.is_mark or word.text[:1] in "#@!":
            return True
        return any(phrase.begin <= place < phrase.end for phrase in believed)

    # What stands beside a phrase

    def before(self, phrase: Phrase) -> Word | None:
        word = self.words[phrase.begin - 1] if phrase.begin else None
        return None if word is None or word.is_mark else word

    def after(self, phrase: Phrase) -> Word | None:
        word = self.words[phrase.end] if phrase.end < len(self.words) else None
        return None if word is None or word.is_mark else word

    def is_first(self, word: Word) -> bool:
        return word is self.words[0]

    def is_phrase(self, word: Word) -> bool:
        """Tell whether a word is part of a phrase, or of a tag."""
        return word.text[:1] in "#@!" or any(
            any(word is other for other in self.words[phrase.begin : phrase.end])
            for phrase in self.phrases
        )


def names_part(phrase: Phrase) -> bool:
    """Tell whether a phrase is a recurrence with a part of the day: every morning."""
    return isinstance(phrase.meaning, RecurrencePhrase) and phrase.meaning.part is not None


def is_recurrence(phrase: Phrase) -> bool:
    return isinstance(phrase.meaning, RecurrencePhrase)


def is_day_of_month(phrase: Phrase) -> bool:
    kinds = OnDay | Numeric
    return isinstance(phrase.meaning, DatePhrase) and isinstance(phrase.meaning.day, kinds)


def is_weekday(phrase: Phrase) -> bool:
    return isinstance(phrase.meaning, DatePhrase) and isinstance(phrase.meaning.day, OnWeekday)


def without_others(words: Sequence[Word], others: frozenset[str]) -> list[Word]:
    """Return words of which some are only words: those that mean something in another language."""
    return [
        replace(word, candidates=()) if word.key in others and word.text.isascii() else word
        for word in words
    ]
