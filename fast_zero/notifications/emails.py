"""The emails that users ask for, in each language: notifications, and the weekly report.

They quote titles and posts of their recipient, and usernames of others. So they are sent to
verified addresses only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from string import Template

from fast_zero.core.database import AnyRow
from fast_zero.core.email import template
from fast_zero.core.email.sending import OutgoingEmail
from fast_zero.core.email.template import Block, Recipient
from fast_zero.notifications.models import Kind

QUOTED = 80
"""Maximum length of a quoted title or post, in characters."""

LATE_MINUTES = 2
"""From how many minutes on a reminder says that it is late. They go out once a minute."""

MINUTES_OF_AN_HOUR = 60

# Of two texts, the first is singular, the second plural.
TEXTS: dict[str, dict[str, str | tuple[str, str]]] = {
    "en": {
        "news": "News from $server",
        "follow": ("$people follows you", "$people follow you"),
        "reply": ("$people replied to “$post”", "$people replied to “$post”"),
        "like": ("$people likes “$post”", "$people like “$post”"),
        "reminder": "Reminder: $title",
        "late": "$item ($duration late)",
        "minutes": ("one minute", "$count minutes"),
        "hours": ("one hour", "$count hours"),
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
        "reminder": "Lembrete: $title",
        "late": "$item ($duration de atraso)",
        "minutes": ("um minuto", "$count minutos"),
        "hours": ("uma hora", "$count horas"),
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


def notifications_email(
    notifications: Sequence[AnyRow],
    to: Recipient,
    *,
    server: str,
    unsubscribe: str,
    message_id: str,
) -> OutgoingEmail:
    items = [describe(one, to.language) for one in notifications]
    subject = translate(to.language, "news", server=host(server))
    return with_unsubscribe_link([items], to, subject, unsubscribe, message_id)


def describe(notification: AnyRow, language: str) -> str:
    """Say in a sentence what happened."""
    if notification.kind == Kind.REMINDER:
        item = translate(language, "reminder", title=shorten(notification.todo["title"]))
        return with_delay(language, item, notification.minutes_late)
    post = shorten(notification.post["text"]) if notification.kind != Kind.FOLLOW else ""
    people = list_people(language, notification.people, notification.people_count)
    return translate(
        language, notification.kind, notification.people_count, people=people, post=post
    )


def with_delay(language: str, item: str, minutes: int) -> str:
    """Say of a reminder how late it is, if it is."""
    if minutes < LATE_MINUTES:
        return item
    hours = minutes // MINUTES_OF_AN_HOUR
    unit, count = ("hours", hours) if hours else ("minutes", minutes)
    return translate(language, "late", item=item, duration=translate(language, unit, count))


def weekly_report(
    week: AnyRow, to: Recipient, *, server: str, unsubscribe: str, message_id: str
) -> OutgoingEmail:
    language = to.language
    blocks: list[Block] = []
    if week.finished:
        blocks.append(translate(language, "finished", week.finished))
        blocks.append(list_titles(language, week.finished_titles or [], week.finished))
    else:
        blocks.append(translate(language, "finished none"))
    if week.open:
        blocks.append(translate(language, "open", week.open))
    if week.untouched:
        blocks.append(translate(language, "untouched", week.untouched))
        blocks.append(list_titles(language, week.untouched_titles, week.untouched))
    if week.followers:
        people = list_people(language, week.followers_named, week.followers)
        blocks.append(translate(language, "followers", week.followers, people=people))
    if week.likes:
        blocks.append(translate(language, "likes", week.likes))
    subject = translate(language, "report", server=host(server))
    return with_unsubscribe_link(blocks, to, subject, unsubscribe, message_id)


def with_unsubscribe_link(
    blocks: Sequence[Block], to: Recipient, subject: str, unsubscribe: str, message_id: str
) -> OutgoingEmail:
    """Write an email that ends with its link to unsubscribe."""
    blocks = [*filter(None, blocks), translate(to.language, "stop"), unsubscribe]
    message = template.write(blocks, to, subject, message_id=message_id, link=unsubscribe)
    return replace(message, unsubscribe=unsubscribe)


def translate(language: str, key: str, count: int = 1, **parts: str) -> str:
    return fill(TEXTS[language][key], count, **parts)


def fill(text: str | tuple[str, str], count: int = 1, **parts: str) -> str:
    """Fill in a text, in the singular or plural if there are both."""
    if not isinstance(text, str):
        text = text[count != 1]
    return Template(text).substitute(parts, count=str(count))


def list_titles(language: str, titles: Sequence[str], count: int) -> Sequence[str]:
    """List titles, and the number of those that are left out."""
    items = [shorten(title) for title in titles]
    left = count - len(items)
    return [*items, translate(language, "and more", left)] if items and left else items


def list_people(language: str, people: Sequence[Mapping[str, str]], count: int) -> str:
    """List people, with an `and` before the last."""
    names = ["@" + person["username"] for person in people]
    if left := count - len(names):
        names.append(translate(language, "more", left))
    *first, last = names
    return translate(language, "and", names=", ".join(first), last=last) if first else last


def shorten(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= QUOTED else line[: QUOTED - 1].rstrip() + "…"


def host(server: str) -> str:
    return server.partition("://")[2]
