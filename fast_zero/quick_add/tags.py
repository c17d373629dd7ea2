"""Projects, labels and priorities in a sentence: `#Home/This week`, `@errands`, `!high`."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from fast_zero.quick_add.tokens import QUOTED
from fast_zero.quick_add.vocabulary import folded
from fast_zero.todos.models import Priority

MARK = re.compile(rf"(?:{QUOTED.pattern})|(?<![^\s(\[])(?P<mark>[#@!])(?=[\w\"])")
QUOTED_NAME = re.compile(r'"([^"]*)"')
LABEL = re.compile(r"\w+(?:[-./&+']\w+)*")
TIME = re.compile(r"\d{1,2}(?:am|pm|h|h\d\d)?", re.IGNORECASE)
WORD = re.compile(r"\w+")
ENDS = 16
"""The places, at most, where the name of a project may end."""

PROJECTS = 5
"""The tags, at most, that are looked up as projects."""

LONGEST_NAME = 100
LONGEST_LABEL, MAX_LABELS = 50, 50
PRIORITIES = {
    Priority.URGENT: "urgent urgente 1 p1",
    Priority.HIGH: "high alta alto 2 p2",
    Priority.MEDIUM: "medium med media medio 3 p3",
    Priority.LOW: "low baixa baixo 4 p4",
    Priority.NONE: "none nenhuma",
}
PRIORITY_OF = {word: priority for priority, words in PRIORITIES.items() for word in words.split()}


def key_of(name: str) -> str:
    """Return a name without regard to case, accents and the number of spaces."""
    return folded(" ".join(name.split()))


@dataclass(frozen=True)
class NamedSection:
    id: int
    name: str


@dataclass(frozen=True)
class NamedProject:
    id: int
    name: str
    sections: Mapping[str, NamedSection] = field(default_factory=dict)
    color: str = ""


@dataclass(frozen=True)
class Known:
    """The projects and labels that a sentence may name, by their keys."""

    projects: Mapping[str, NamedProject] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Span:
    """A part of a text, from `start` and before `end`."""

    start: int
    end: int


@dataclass(frozen=True)
class Tag(Span):
    """`value` is None if there is no such project or section: then it stays in the title."""

    kind: str
    value: str | None


@dataclass
class Tags:
    found: list[Tag] = field(default_factory=list)
    project: NamedProject | None = None
    section: NamedSection | None = None
    labels: list[str] = field(default_factory=list)
    priority: Priority | None = None


def marks(text: str) -> Iterator[tuple[str, int]]:
    """Yield `#`, `@` and `!` where they begin a word outside of quotes, and where they are."""
    place = 0
    while found := MARK.search(text, place):
        place = found.end()
        if found["mark"]:
            yield found["mark"], found.start()
            if quoted := QUOTED_NAME.match(text, place):
                place = quoted.end()


def project_marks(text: str) -> list[int]:
    return [place for mark, place in marks(text) if mark == "#"][:PROJECTS]


def label_at(text: str, start: int) -> tuple[str, int] | None:
    """Return the name of a label that begins at a place, and where it ends."""
    if quoted := QUOTED_NAME.match(text, start):
        name = quoted[1].strip()
        return (name, quoted.end()) if 0 < len(name) <= LONGEST_LABEL else None
    found = LABEL.match(text, start)
    if found is None or len(found[0]) > LONGEST_LABEL or text[found.end() :][:1] == "@":
        return None
    is_time = TIME.fullmatch(found[0]) is not None  # "@9am" is at 9
    return None if is_time else (found[0], found.end())


def names_at(text: str, start: int) -> list[tuple[str, int]]:
    """Return what may be the name of a project or section at a place, the longest first."""
    if quoted := QUOTED_NAME.match(text, start):
        return [(key_of(quoted[1]), quoted.end())]
    stop = min([start + LONGEST_NAME, *(place for _, place in marks(text) if place > start)])
    ends = [found.end() for found in WORD.finditer(text, start, stop)]
    ends += [found.end() for found in re.finditer(r"\S+", text[:stop]) if found.end() > start]
    names = {end: key_of(text[start:end]) for end in sorted(set(ends))[:ENDS]}
    return [(name, end) for end, name in sorted(names.items(), reverse=True)]


def wanted(text: str) -> tuple[list[str], list[str], list[str]]:
    """Return the keys of the projects, sections and labels that a sentence may name."""
    projects: set[str] = set()
    sections: set[str] = set()
    labels: set[str] = set()
    for place in project_marks(text):
        for name, end in names_at(text, place + 1):
            projects.add(name)
            if text[end:].startswith("/"):
                sections.update(section for section, _ in names_at(text, end + 1))
    for mark, place in marks(text):
        if mark == "@" and (label := label_at(text, place + 1)):
            labels.add(key_of(label[0]))
    return sorted(projects), sorted(sections), sorted(labels)


def find(text: str, known: Known) -> Tags:
    """Return the tags of a sentence. Of several projects or priorities, the first one counts."""
    tags = Tags()
    known_marks = project_marks(text)
    for mark, start in marks(text):
        if mark == "#" and tags.project is None and start in known_marks:
            find_project(text, start, known, tags)
        elif mark == "@" and len(tags.labels) < MAX_LABELS:
            find_label(text, start, known, tags)
        elif mark == "!" and tags.priority is None:
            word = WORD.match(text, start + 1)
            priority = PRIORITY_OF.get(folded(word[0])) if word else None
            if word and priority is not None:
                tags.priority = priority
                tags.found.append(Tag(start, word.end(), "priority", priority.value))
    return tags


def find_label(text: str, start: int, known: Known, tags: Tags) -> None:
    if label := label_at(text, start + 1):
        name = known.labels.get(key_of(label[0]), label[0])
        tags.labels.append(name)
        tags.found.append(Tag(start, label[1], "label", name))


def find_project(text: str, start: int, known: Known, tags: Tags) -> None:
    for name, end in names_at(text, start + 1):
        project = known.projects.get(name)
        if project is None:
            continue
        if not text[end:].startswith("/"):
            tags.project = project
            tags.found.append(Tag(start, end, "project", project.name))
            return
        for section_name, section_end in names_at(text, end + 1):
            if section := project.sections.get(section_name):
                tags.project, tags.section = project, section
                tags.found.append(Tag(start, end, "project", project.name))
                tags.found.append(Tag(end, section_end, "section", section.name))
                return
        tags.found.append(Tag(start, word_end(text, start), "section", None))
        return
    if not text[start + 1].isdigit():
        tags.found.append(Tag(start, word_end(text, start), "project", None))


def word_end(text: str, start: int) -> int:
    """Return where a tag ends that names nothing: with its last letter or digit before a space."""
    if quoted := QUOTED_NAME.match(text, start + 1):
        return quoted.end()
    whole = re.compile(r"\S+").match(text, start)
    end = whole.end() if whole else start + 1
    return start + len(text[start:end].rstrip(".,;:!?)]"))


def taken(tags: Sequence[Tag]) -> list[tuple[int, int]]:
    return [(tag.start, tag.end) for tag in tags]
