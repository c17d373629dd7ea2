"""The emails that people ask for, in each language: what is new, and the report of a week.

They quote the titles and posts of who gets them, and the usernames of others. So they go to
verified addresses alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from string import Template

from fast_zero.core.database import AnyRow
from fast_zero.core.email import template
from fast_zero.core.email.sending import Letter
from fast_zero.core.email.template import Block, Recipient
from fast_zero.notifications.models import Kind

QUOTED = 80
"""Characters that are quoted of a title or a post."""

# Where a count decides, the first is for one, the second for others.
TEXTS: dict[str, dict[str, str | tuple[str, str]]] = {
    "en": {
        "news": "News from $server",
        "follow": ("$people follows you", "$people follow you"),
        "reply": ("$people replied to “$post”", "$people replied to “$post”"),
        "like": ("$people likes “$post”", "$people like “$post”"),
        "and": "$names and $last",
        "more": ("$count other", "$count others"),
        "report": "Your week at $server",
        "finished": ("You finished one todo:", "You finished $count todos:"),
        "finished none": "You finished no todo.",
        "open": ("One todo is open.", "$count todos are open."),
        "untouched": (
            "One of them was not touched for a month:",
            "$count of them were not touched for a month:",
        ),
        "followers": ("You have a new follower: $people.", "You have new followers: $people."),
        "likes": ("Your posts were liked once.", "Your posts were liked $count times."),
        "and more": ("and one more", "and $count more"),
        "stop": "You asked for this email. To get no more of its kind, open this page:",
    },
    "pt-BR": {
        "news": "Novidades de $server",
        "follow": ("$people segue você", "$people seguem você"),
        "reply": ("$people respondeu a “$post”", "$people responderam a “$post”"),
        "like": ("$people curtiu “$post”", "$people curtiram “$post”"),
        "and": "$names e $last",
        "more": ("mais $count pessoa", "mais $count pessoas"),
        "report": "Sua semana em $server",
        "finished": ("Você concluiu uma tarefa:", "Você concluiu $count tarefas:"),
        "finished none": "Você não concluiu nenhuma tarefa.",
        "open": ("Uma tarefa está aberta.", "$count tarefas estão abertas."),
        "untouched": (
            "Uma delas está parada há um mês:",
            "$count delas estão paradas há um mês:",
        ),
        "followers": ("Mais uma pessoa segue você: $people.", "Mais gente segue você: $people."),
        "likes": (
            "Suas publicações foram curtidas uma vez.",
            "Suas publicações foram curtidas $count vezes.",
        ),
        "and more": ("e mais uma", "e mais $count"),
        "stop": "Você pediu este e-mail. Para não receber mais deste tipo, abra esta página:",
    },
}


def of_news(
    told: Sequence[AnyRow], to: Recipient, *, server: str, unsubscribe: str, letter_id: str
) -> Letter:
    language = to.language
    items = []
    for one in told:
        post = shortened(one.post["text"]) if one.kind != Kind.FOLLOW else ""
        people = named(language, one.people, one.people_count)
        items.append(words(language, one.kind, one.people_count, people=people, post=post))
    subject = words(language, "news", server=host(server))
    return wanted([items], to, subject, unsubscribe, letter_id)


def of_week(
    week: AnyRow, to: Recipient, *, server: str, unsubscribe: str, letter_id: str
) -> Letter:
    language = to.language
    blocks: list[Block] = []
    if week.finished:
        blocks.append(words(language, "finished", week.finished))
        blocks.append(listed(language, week.finished_titles or [], week.finished))
    else:
        blocks.append(words(language, "finished none"))
    if week.open:
        blocks.append(words(language, "open", week.open))
    if week.untouched:
        blocks.append(words(language, "untouched", week.untouched))
        blocks.append(listed(language, week.untouched_titles, week.untouched))
    if week.followers:
        people = named(language, week.followers_named, week.followers)
        blocks.append(words(language, "followers", week.followers, people=people))
    if week.likes:
        blocks.append(words(language, "likes", week.likes))
    subject = words(language, "report", server=host(server))
    return wanted(blocks, to, subject, unsubscribe, letter_id)


def wanted(
    blocks: Sequence[Block], to: Recipient, subject: str, unsubscribe: str, letter_id: str
) -> Letter:
    """Write an email that was asked for, with the way to get no more of its kind at the end."""
    blocks = [*filter(None, blocks), words(to.language, "stop"), unsubscribe]
    letter = template.write(blocks, to, subject, letter_id=letter_id, link=unsubscribe)
    return replace(letter, unsubscribe=unsubscribe)


def words(language: str, key: str, count: int = 1, **parts: str) -> str:
    text = TEXTS[language][key]
    if not isinstance(text, str):
        text = text[count != 1]
    return Template(text).substitute(parts, count=str(count))


def listed(language: str, titles: Sequence[str], count: int) -> Sequence[str]:
    """List titles, and how many there are beside them."""
    items = [shortened(title) for title in titles]
    left = count - len(items)
    return [*items, words(language, "and more", left)] if items and left else items


def named(language: str, people: Sequence[Mapping[str, str]], count: int) -> str:
    """Name people, the last after an `and`."""
    names = ["@" + person["username"] for person in people]
    if left := count - len(names):
        names.append(words(language, "more", left))
    *first, last = names
    return words(language, "and", names=", ".join(first), last=last) if first else last


def shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= QUOTED else line[: QUOTED - 1].rstrip() + "…"


def host(server: str) -> str:
    return server.partition("://")[2]
