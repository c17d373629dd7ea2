"""What attackers try: markup in every field, sessions and addresses of their choice, odd bytes."""

import json
import re
from base64 import urlsafe_b64encode
from collections import Counter
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from itertools import product
from typing import Any
from urllib.parse import quote

import pyotp
import pytest
from sqlalchemy import update

from fast_zero.core.errors import Conflict, Reason
from fast_zero.models import AuditEvent, Invitation, LoginSession, User
from fast_zero.two_factor.models import SecondFactor
from fast_zero.web import cookies, middleware
from fast_zero.web.forms import Form
from tests.factories import PASSWORD, LoginSessionFactory, PersonalTokenFactory, UserFactory, follow
from tests.web.conftest import HOST
from tests.web.test_guard import routes

PAYLOADS = [
    "<script>alert(1)</script>",
    "</title><script src=//evil.example></script>",
    "</textarea><img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "'><a href=javascript:alert(1)>x</a>",
    '" autofocus onfocus=alert(1) x="',
    "` onmouseover=alert(1)",
    "<svg><script>alert(1)</script></svg>",
    "<svg><use href=data:image/svg+xml,x#x>",
    "<style>*{background:url(//evil.example)}</style>",
    "</style><link rel=stylesheet href=//evil.example>",
    "style=background:url(javascript:alert(1))",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<form action=//evil.example><button>x",
    "<meta http-equiv=refresh content=0;//evil>",
    "<base href=//evil.example>",
    "<template><p>x</template>",
    "<!--<b>-->]]><?php x ?>",
    "&lt;b&gt; &#60;b&#62; &quot;",
    "javascript:alert(document.cookie)",
    "data:text/html,<script>alert(1)</script>",
    "[x](javascript:alert(1))",
    "[x](data:text/html;base64,PHg+)",
    "![x](https://evil.example/x.png)",
    "<javascript:alert(1)> <http://evil.example/>",
    "[x](https://a.example/\"onclick='alert(1))",
    "**<b onclick=alert(1)>b</b>**",
    "{{ 1234 * 9999 }}",
    "{% include 'error.html' %}",
    "{# note #} ${1234*9999} #{1234*9999}",
    "%(title)s %s %d % %%",
    "{0} {name} %7B%7B",
    "\u202egpj.exe \u2066x\u2069 \u200f",
    "a\u200bb\u200cc\u200dd\ufeffe\u2060",
    "W" * 49,
    "\U0001f469\u200d\U0001f469\u200d\U0001f467 e\u0301\u0301\u0301",
    "one\r\ntwo\nthree\rfour\u2028five",
    "a=1; b=2, c=3; Path=/; Max-Age=0",
    "x\r\nSet-Cookie: fast_zero_session=evil",
    "\\u003cscript\\u003ealert(1)\\x3c/script>",
]
HARMLESS = [f"word{number}" for number in range(20)]
GROUP = len(HARMLESS)
ECHO = "echo"
"""Stands for pages whose elements depend on what is understood of a text."""

OF_ALL = {"/app/administration", "/app/administration/invitations", "/app/people"}
"""Show the other accounts of the test as well."""

FIELDS_OF_TODO = ("title", "description", "due_on", "due_time", "recurrence", "priority", "labels")

RICH = {
    ("p", ()),
    ("em", ()),
    ("strong", ()),
    ("code", ()),
    ("a", ("dir", "href", "rel")),
    ("a", ("href", "rel")),
}
"""What may stand in texts whose links and Markdown are shown."""

VOID = {"meta", "link", "input", "br", "hr", "use", "rect", "path", "img", "base"}


class Shape(HTMLParser):
    """Counts the elements of a page with the names of their attributes, and checks addresses."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: Counter[tuple[str, tuple[str, ...]]] = Counter()
        self.rich: set[tuple[str, tuple[str, ...]]] = set()
        self.text, self.addresses = "", []
        self.inside: list[str] = []  # open elements of a text of a user
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        assert len(values) == len(attrs)
        shape = (tag, tuple(sorted(values)))
        if self.inside:
            self.rich.add(shape)
        else:
            self.elements[shape] += 1
        self.addresses += [values[name] for name in ("href", "src", "action") if name in values]
        if tag not in VOID and (self.inside or {"prose", "words"} & set(classes(values))):
            self.inside.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if self.inside and tag not in VOID:
            self.inside.pop()

    def handle_endtag(self, tag):
        if self.inside:
            assert tag == self.inside.pop()

    def handle_data(self, data):
        self.text += data

    def handle_comment(self, data):
        pytest.fail(f"a comment: {data}")

    handle_pi = handle_comment

    def pairs(self) -> set[tuple[str, str]]:
        return {(tag, name) for tag, names in self.elements for name in ("", *names)}


def shape_of(response) -> Shape:
    is_page = response.headers.get("content-type", "").startswith("text/html")
    return Shape(response.text if is_page else "")


def classes(attributes) -> list[str]:
    return (attributes.get("class") or "").split()


class World:
    """An account in which every text is one of some texts, alone or with others."""

    def __init__(self, browser, user, texts, number) -> None:
        self.browser, self.user, self.texts, self.number = browser, user, texts, number
        self.pairs, self.fours, self.tens = (joined(texts, size) for size in (2, 4, 10))
        self.whole = "\n\n".join(texts)
        self.ids: dict[str, list[Any]] = {}
        self.headers: dict[str, str] = {}

    async def create(self, path, **values):
        response = await self.browser.post(path, json=values, headers=self.headers)
        assert response.status_code == 201, (path, values, response.text)
        return response.json()["id"]

    async def create_places(self):
        projects = [
            await self.create("/projects", name=pair, description=self.whole) for pair in self.pairs
        ]
        self.ids["project_id"] = projects
        for pair in self.pairs:
            section = await self.create(f"/projects/{projects[0]}/sections", name=pair)
            self.ids["section_id"] = [section]
        self.ids["label_id"] = [await self.create("/labels", name=text) for text in self.texts]
        self.ids["filter_id"] = [
            await self.create("/filters", name=pair, filter=quoted(pair)) for pair in self.pairs
        ]

    async def create_todos(self):
        first, second, *others = self.fours
        more = {
            "description": self.whole,
            "labels": self.texts,
            "due_on": str(datetime.now(UTC).date()),
        }
        todo = await self.create("/todos", title=first, **more)
        await self.create("/todos", title=second, parent_id=todo)
        other = await self.create("/todos", title=second, project_id=self.ids["project_id"][0])
        relation = {"kind": "blocks", "todo_id": other}
        path = f"/todos/{todo}/relations"
        await self.browser.post(path, json=relation, headers=self.headers)
        await self.create("/todos", title=second, state="done", share="public")
        for title in others:
            await self.create("/todos", title=title, due_on=more["due_on"])
        gone = await self.create("/todos", title=second, **more)
        await self.browser.delete(f"/todos/{gone}", headers=self.headers)
        project = await self.create("/projects", name=self.pairs[-1])
        await self.browser.delete(f"/projects/{project}", headers=self.headers)
        trash = await self.browser.get("/trash", headers=self.headers)
        self.ids["deletion_id"] = [each["id"] for each in trash.json()["deletions"]]
        self.ids["todo_id"] = [todo, gone]

    async def create_people(self, save, bearer):
        name = f"x{self.number} {self.texts[0]}"
        stranger = UserFactory(username=name, display_name=self.pairs[1], bio=self.tens[1])
        await save(stranger)
        await save(follow(stranger, self.user), follow(self.user, stranger))
        own = await self.create("/posts", text=self.tens[0])
        theirs, self.headers = self.headers, bearer(stranger)
        reply = await self.create("/posts", text=self.tens[1], reply_to=own)
        await self.browser.put(f"/posts/{own}/like", headers=self.headers)
        self.headers = theirs
        self.ids |= {"post_id": [own, reply], "user_id": [self.user.id, stranger.id]}
        self.ids["username"] = [quote(name, safe="") for name in (self.user.username, name)]

    async def import_files(self, do_jobs):
        """Import a file with these texts as columns and cells, and one with them as mistakes."""
        cells = ",".join(quoted(text) for text in self.texts)
        names = ",".join(f"column{number}" for number in range(GROUP))
        self.ids["import_id"] = []
        for content in (f"title,{cells}\nx,{cells}", f"title,due_on,{names}\nx,{cells},y"):
            file = (f"{self.texts[0]}.csv", content.encode(), "text/csv")
            sent = await self.browser.post("/app/settings/data/imports", files={"file": file})
            await do_jobs()
            self.ids["import_id"].append(int(sent.headers["location"].rpartition("/")[2]))

    async def pages(self, app):
        """Fetch every page, and what forms show again; return the answers in the same order."""
        for method, path in routes(app):
            if method == "GET":
                for address in self.addresses(path.replace(":path}", "}")):
                    yield path, await self.browser.get(address)
        todo, project = self.ids["todo_id"][0], self.ids["project_id"][0]
        for address, values in {
            "/app/search": {"q": self.fours[0]},
            "/app/search?": {"filter": self.whole},
            "/app/quick-add": {"text": self.tens[0]},
            "/app/people": {"username": self.texts[0]},
            "/app/filters": {"filter": self.whole},
            "/app/forgotten": {"email": self.whole},
            "/app/today": {"todo": todo},
            f"/app/projects/{project}": {"todo": todo},
            "/app/inbox": {"todo": self.ids["todo_id"][1]},
            "/app/feed": {"of": "all"},
            f"/app/people/{self.user.username}": {"show": "followers"},
        }.items():
            is_echo = {"todo", "show"}.isdisjoint(values)
            yield ECHO if is_echo else "", await self.browser.get(address, params=values)
        for address, values in {
            "/app/labels": {"name": self.whole},
            "/app/projects": {"name": self.whole, "description": self.whole, "color": self.whole},
            f"/app/projects/{project}/edit": {"name": self.whole},
            f"/app/projects/{project}/sections": {"name": self.whole},
            "/app/filters": {"name": self.whole, "filter": self.whole},
            f"/app/todos/{todo}": dict.fromkeys(FIELDS_OF_TODO, self.whole) | {"version": "1"},
            f"/app/todos/{todo}?": dict.fromkeys(FIELDS_OF_TODO, self.whole) | {"version": "0"},
            f"/app/todos/{todo}/relations": {"other": self.fours[1], "kind": "blocks"},
            f"/app/todos/{todo}/reminders": {"at": self.whole},
            f"/app/posts/{self.ids['post_id'][0]}": {"text": self.whole * 9},
            "/app/feed": {"text": self.whole * 9, "visibility": self.whole},
            "/app/settings": dict.fromkeys(("language", "time_zone", "theme"), self.whole),
            "/app/settings/profile": {"username": self.whole, "bio": self.whole * 9},
            "/app/settings/email": {"email": self.whole, "current_password": self.whole},
            "/app/settings/messages": {"digest_time": self.whole},
            "/app/settings/tokens": {"name": self.whole, "todos:read": "on", "days": "7"},
            "/app/administration/invitations": {"email": self.whole, "language": "en"},
            "/app/login": {"username": self.fours[0], "password": "x"},
            "/app/register": {"username": self.whole, "email": self.whole},
            "/app/forgotten": {"email": self.whole},
        }.items():
            yield ECHO, await self.browser.post(address, data=values)
        for address, values in {
            "/app/todos/act": {"complete": todo},
            "/app/todos": {"text": self.whole * 9},
            "/app/undo": {"change_set": self.whole},
            "/app/labels": {"name": self.texts[0] + "x"},
            "/app/feed": {"text": self.tens[0]},
        }.items():
            sent = await self.browser.post(address, data=values)
            assert sent.status_code == 303, address
            yield ECHO, await self.browser.get(sent.headers["location"])

    def addresses(self, path):
        """Return a path with each of the ids that it may have."""
        names = re.findall(r"{(\w+)}", path)
        together = product(*(self.ids[name] for name in names))
        return [path.format(**dict(zip(names, ids, strict=True))) for ids in together]


def joined(texts, size) -> list[str]:
    return [" ".join(texts[at : at + size]) for at in range(0, len(texts), size)]


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


@pytest.fixture
def create_world(visitor, save, sessions, bearer, do_jobs, log_in_page):
    async def create_world(texts, number):
        row = UserFactory(username=f"reader {number}", role="admin")
        [user] = await save(row)
        world = World(visitor, user, texts, number)
        row.display_name, row.bio = world.pairs[0], world.tens[0]
        await save(row)
        await log_in_page(user)
        world.headers = bearer(user)
        await world.create_places()
        await world.create_todos()
        await world.create_people(save, bearer)
        events = [
            AuditEvent(owner_id=user.id, action=text, details={"user_agent": text})
            for text in texts
        ]
        email = f"{number}{texts[0][:40]}@example.com"
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        await save(
            *events,
            *[LoginSessionFactory(owner_id=user.id, user_agent=text) for text in texts],
            *[PersonalTokenFactory(owner_id=user.id, name=text) for text in texts],
            Invitation(email=email, language="en", digest=bytes([number]), expires_at=tomorrow),
        )
        await world.import_files(do_jobs)
        return world

    return create_world


async def test_no_text_becomes_an_element_or_an_attribute_of_any_page(app, create_world):
    harmless = await create_world(HARMLESS, 0)
    usual = [(path, shape_of(page)) async for path, page in harmless.pages(app)]
    known = {pair for _, shape in usual for pair in shape.pairs()}

    for number in range(0, len(PAYLOADS), GROUP):
        world = await create_world(PAYLOADS[number : number + GROUP], number + 1)
        found = [(path, page, shape_of(page)) async for path, page in world.pages(app)]
        assert [path for path, *_ in found] == [path for path, _ in usual]
        for (path, page, shape), (_, expected) in zip(found, usual, strict=True):
            assert page.status_code < 500, page.url
            assert page.headers["content-security-policy"] == middleware.POLICY
            assert "12338766" not in page.text
            assert shape.rich <= RICH, page.url
            if path == ECHO or path in OF_ALL:
                assert shape.pairs() <= known, page.url
            else:
                assert shape.elements == expected.elements, page.url
            for address in shape.addresses:
                assert address.startswith(("/app/", "/static/", "#", "http")), page.url


ENDINGS = ("/delete", "/empty", "/logout")
FIELDS = [
    *("text", "title", "name", "description", "filter", "color", "username", "display_name", "bio"),
    *("email", "password", "current_password", "code", "token", "language", "time_zone", "theme"),
    *("list", "label_id", "key", "complete", "move", "selected", "place", "labels", "recurrence"),
    *("due_on", "due_time", "at", "minutes", "remove", "other", "kind", "skip", "take_back"),
    *("up", "down", "change_set", "follow", "read", "act", "revoke", "end", "days", "version"),
    *("keep", "digest_time", "email_like", "endpoint", "p256dh", "auth", "restore", "visibility"),
    *("project", "format", "next"),
]


async def send_everywhere(app, world, **options):
    """Send something to every form that deletes nothing; return the answers."""
    answers = []
    for method, path in routes(app):
        if method == "POST" and not path.endswith(ENDINGS):
            address = world.addresses(path.replace(":path}", "}"))[0]
            answers.append(await world.browser.post(address, **options))
    assert len(answers) > 40
    return answers


async def test_nul_is_refused_in_every_field(app, create_world):
    world = await create_world(HARMLESS, 0)

    for answer in await send_everywhere(app, world, data=dict.fromkeys(FIELDS, "a\0b")):
        assert answer.status_code < 500, answer.url
        assert "\0" not in answer.text or answer.status_code in {412, 422}


async def test_a_form_may_name_any_charset(app, create_world):
    """Some of them decode to surrogates, which are no text, or fail in ways of their own."""
    world = await create_world(HARMLESS, 0)
    part = 'Content-Disposition: form-data; name="{}"\r\n\r\n\\ud800'
    body = "--x\r\n" + "\r\n--x\r\n".join(part.format(name) for name in FIELDS) + "\r\n--x--\r\n"
    for charset in ("unicode_escape", "punycode"):
        headers = {"Content-Type": f"multipart/form-data; boundary=x; charset={charset}"}

        answers = await send_everywhere(app, world, content=body, headers=headers)

        assert max(answer.status_code for answer in answers) < 500
        assert [answer.status_code for answer in answers].count(400) > 20


async def test_no_form_leads_to_another_site(app, create_world):
    world = await create_world(HARMLESS, 0)
    for address in ("//evil.example/app/", "https://evil.example/app/", "/app/..//evil.example"):
        values = dict.fromkeys(FIELDS, "x") | {"next": address}
        headers = {"Referer": address, "X-Forwarded-Host": "evil.example"}

        answers = await send_everywhere(app, world, data=values, headers=headers)

        places = [answer.headers["location"] for answer in answers if answer.status_code == 303]
        assert len(places) > 20
        assert all(re.match(r"/app/[a-z]", place) for place in places)
        assert not [answer.url for answer in answers if f'href="{address}"' in answer.text]


def forged(content: bytes) -> str:
    return urlsafe_b64encode(content).decode()


@pytest.mark.parametrize(
    "notice",
    [
        forged(b'{"code": "added", "count": 5}'),
        forged(b'{"code": "todo_not_found", "count": 5, "title": "x"}'),
        forged(b'{"code": "added", "title": "\\ud800"}'),
        forged(b"[" * 8000),
        forged(b'{"code": "added", "link": "//evil.example/app/"}'),
        forged(b'{"code": "added", "link": "javascript:alert(1)"}'),
        forged(b'{"code": "__class__"}'),
        forged(b"\xff\xfe"),
        "é",
    ],
)
async def test_a_forged_notice_breaks_no_page(reader, notice):
    header = f"{cookies.NOTICE}={notice}; {cookies.SESSION}={reader.cookies[cookies.SESSION]}"
    reader.cookies.clear()
    page = await reader.get("/app/today", headers={"Cookie": header.encode()})

    assert page.status_code == 200
    assert 'class="toast"' not in page.text
    assert "evil.example" not in page.text


async def test_what_a_forged_notice_quotes_is_text(reader):
    words = dict.fromkeys(("title", "details", "line", "place", "focus"), PAYLOADS[1])
    notice = forged(json.dumps({"code": "added", "link": "/app/inbox", **words}).encode())
    reader.cookies.set(cookies.NOTICE, notice, domain=HOST, path="/")
    page = await reader.get("/app/today")

    assert 'class="toast"' in page.text
    assert "<script src=//evil" not in page.text


def test_a_sentence_without_a_translation_is_no_markup():
    form = Form()
    form.refuse(Conflict(Reason("other", "No <b>bold</b> %(text)s")))

    assert form.errors == {"": "No &lt;b&gt;bold&lt;/b&gt; %%(text)s"}


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_every_cookie_is_for_this_host_and_no_script(visitor, user, save, scheme):
    visitor.base_url = f"{scheme}://test"
    visitor.headers["Origin"] = f"{scheme}://test"
    await save(factor := SecondFactor(owner_id=user.id, secret=pyotp.random_base32()))
    factor.confirmed_at = datetime.now(UTC)
    await save(factor)
    form = {"username": user.username, "password": PASSWORD}
    answers = [
        await visitor.post("/app/language", data={"language": "en"}),
        await visitor.post("/app/login", data=form),
        await visitor.post("/app/login/code", data={"code": pyotp.TOTP(factor.secret).now()}),
        await visitor.post("/app/todos", data={"text": "Bread"}),
        await visitor.post("/app/logout"),
    ]

    lines = [line for answer in answers for line in answer.headers.get_list("set-cookie")]
    names = {line.partition("=")[0].removeprefix("__Host-") for line in lines}
    assert names == {cookies.LANGUAGE, cookies.PENDING, cookies.SESSION, cookies.NOTICE}
    for line in lines:
        flags = {"httponly", "path=/", "samesite=lax"} | (
            {"secure"} if scheme == "https" else set()
        )
        assert flags <= set(line.lower().split("; ")), line
        assert line.startswith("__Host-") == (scheme == "https")
        assert "domain=" not in line.lower()


@pytest.fixture
def enter(visitor, user, save):
    """Enter by each of the ways that there are."""

    async def enter(way):
        if way == "register":
            new = {"username": "ana", "email": "ana@example.com", "password": PASSWORD}
            return await visitor.post("/app/register", data=new)
        if way == "code":
            secret = pyotp.random_base32()
            await save(
                SecondFactor(owner_id=user.id, secret=secret, confirmed_at=datetime.now(UTC))
            )
        form = {"username": user.username, "password": PASSWORD}
        answer = await visitor.post("/app/login", data=form)
        if way == "code":
            code = pyotp.TOTP(secret).now()
            answer = await visitor.post("/app/login/code", data={"code": code})
        return answer

    return enter


@pytest.mark.parametrize("way", ["password", "code", "register"])
async def test_whoever_enters_gets_a_secret_of_their_own_and_the_session_before_ends(
    visitor, stranger, log_in_page, enter, sessions, way
):
    """Otherwise somebody else could choose it, or stay in a browser that others use."""
    opened = await log_in_page(stranger)
    planted = visitor.cookies[cookies.SESSION]

    answer = await enter(way)

    assert answer.headers["location"] == "/app/today"
    assert visitor.cookies[cookies.SESSION] != planted
    async with sessions() as session:
        assert await session.get(LoginSession, opened.id) is None


async def test_whoever_is_no_administrator_any_more_has_no_such_page(reader, user, sessions):
    for role, status in (("admin", 200), ("member", 404)):
        async with sessions.begin() as session:
            await session.execute(update(User).where(User.id == user.id).values(role=role))
        assert (await reader.get("/app/administration")).status_code == status


@pytest.mark.parametrize(
    "host", ["[", "[::1", "test/app/x?", "evil@test", "test:99999999", "\xff", ""]
)
async def test_no_host_breaks_a_page_or_leads_away(reader, host):
    headers = {"Host": host.encode("latin-1")}
    for path in ("/app", "/app/today", "/app/login", "/app/nowhere", "/account/confirm"):
        answer = await reader.get(path, headers=headers)
        assert answer.status_code < 500, path
        assert answer.headers.get("location", "/app/").startswith("/app/")
    assert (await reader.post("/app/login", headers=headers)).status_code < 500


async def test_downloads_are_files_and_never_pages(reader):
    for name in ("export.json", "todos.csv", "todos.ics"):
        for answer in [
            await reader.get(f"/app/settings/data/{name}"),
            await reader.head(f"/app/settings/data/{name}"),
        ]:
            assert answer.headers["content-disposition"].startswith("attachment; ")
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["content-security-policy"] == middleware.POLICY
            assert answer.headers["cache-control"] == "no-store"


async def test_registrations_and_emails_are_limited_as_in_the_api(visitor, settings):
    one = {"registrations_per_hour": 1}
    visitor.state["settings"] = settings.model_copy(update=one)
    statuses = []
    for name in ("ana", "rui"):
        new = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
        statuses.append((await visitor.post("/app/register", data=new)).status_code)
        visitor.cookies.clear()
    assert statuses == [303, 429]

    for _ in range(50):
        answer = await visitor.post("/app/forgotten", data={"email": "ana@example.com"})
        if answer.status_code == 429:
            break
    assert "Too many emails were asked for." in answer.text
