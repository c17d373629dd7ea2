"""The manifest, the service worker, the page without a connection, and pushes."""

import json
import re

import pytest
from sqlalchemy import select

from fast_zero.push import vapid
from fast_zero.push.models import PushSubscription
from fast_zero.push.schemas import AUTH, ENDPOINT, PUBLIC_KEY
from fast_zero.web import static_files
from tests.factories import TodoFactory
from tests.web.conftest import heading, titles

SUBSCRIPTION = {"endpoint": ENDPOINT, "p256dh": PUBLIC_KEY, "auth": AUTH, "expirationTime": "null"}


@pytest.fixture
def endpoints(sessions):
    async def endpoints():
        async with sessions() as session:
            found = select(PushSubscription.owner_id, PushSubscription.endpoint)
            return [tuple(row) for row in await session.execute(found)]

    return endpoints


@pytest.mark.parametrize(
    ("accepted", "language", "today"), [("pt-BR,pt", "pt-BR", "Hoje"), ("de,en", "en", "Today")]
)
async def test_the_manifest_speaks_the_language_of_the_browser(
    visitor, statements, accepted, language, today
):
    with statements() as sent:
        response = await visitor.get(
            "/app/manifest.webmanifest", headers={"Accept-Language": accepted}
        )

    assert sent == []
    assert response.headers["content-type"] == "application/manifest+json"
    manifest = response.json()
    assert (manifest["lang"], manifest["shortcuts"][0]["name"]) == (language, today)
    assert manifest["scope"] == "/app/"
    assert manifest["start_url"].startswith(manifest["scope"])


async def test_the_icons_of_the_manifest_have_their_sizes(visitor):
    icons = (await visitor.get("/app/manifest.webmanifest")).json()["icons"]

    assert {icon["purpose"] for icon in icons} == {"any", "maskable"}
    for icon in icons:
        image = await visitor.get(icon["src"])
        assert image.headers["content-type"] == icon["type"]
        assert image.content[:8] == b"\x89PNG\r\n\x1a\n"
        width, height = (int.from_bytes(image.content[at : at + 4]) for at in (16, 20))
        assert f"{width}x{height}" == icon["sizes"]
        assert len(image.content) < 20_000


async def test_the_worker_names_the_files_of_its_release_and_they_exist(visitor, statements):
    with statements() as sent:
        response = await visitor.get("/app/service-worker.js")

        assert response.headers["content-type"] == "text/javascript; charset=utf-8"
        assert f'const DIGEST = "{static_files.digest()}"' in response.text
        files = json.loads(re.search(r"^const FILES = (.*)$", response.text, re.MULTILINE)[1])
        assert {"app.js", "offline.js", "style.css"} <= {name.rsplit("/")[-1] for name in files}
        for address in files:
            assert (await visitor.get(address)).status_code == 200
    assert sent == []


async def test_the_page_without_a_connection_has_nothing_of_its_reader(reader, user):
    page = await reader.get("/app/offline")

    assert heading(page) == "No connection"
    assert user.username not in page.text


async def test_what_is_sent_late_is_refused_for_another_account(reader, user, stranger, save):
    form = {"text": "Bread", "next": "/app/today", "list": "today"}

    other = await reader.post("/app/todos", data={**form, "account": str(stranger.id)})
    assert other.status_code == 409
    assert titles(await reader.get("/app/today")) == []
    own = await reader.post("/app/todos", data={**form, "account": str(user.id)})
    assert own.status_code == 303
    assert titles(await reader.get("/app/today")) == ["Bread"]


async def test_a_list_names_its_account_where_the_worker_looks(reader, user, save):
    await save(TodoFactory(owner_id=user.id, title='<template id="kept" data-account="7">'))
    page = await reader.get("/app/inbox")

    found = re.findall(r'<template id="kept"[^>]* data-account="(\d+)"', page.text)
    assert found == [str(user.id)]


async def test_a_browser_subscribes_to_pushes_and_ends_them(reader, user, endpoints, settings):
    control = await reader.get("/app/push")
    assert f'data-key="{vapid.public_key(settings)}"' in control.text

    for _ in range(2):
        assert (await reader.post("/app/push", data=SUBSCRIPTION)).status_code == 204
    assert await endpoints() == [(user.id, ENDPOINT)]
    assert (await reader.post("/app/push/off", data={"endpoint": ENDPOINT})).status_code == 204
    assert await endpoints() == []


async def test_a_stranger_does_not_end_the_pushes_of_others(
    reader, user, stranger, endpoints, log_in_page
):
    await reader.post("/app/push", data=SUBSCRIPTION)
    await log_in_page(stranger)
    await reader.post("/app/push/off", data={"endpoint": ENDPOINT})

    assert await endpoints() == [(user.id, ENDPOINT)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"endpoint": ""},
        {"endpoint": "https://127.0.0.1/push"},
        {"endpoint": "http://push.example.com/"},
        {"endpoint": "javascript:alert(1)"},
        {"p256dh": "abc"},
        {"auth": "\x00"},
    ],
)
async def test_what_is_no_subscription_is_refused(reader, endpoints, wrong):
    response = await reader.post("/app/push", data=SUBSCRIPTION | wrong)

    assert response.status_code == 422
    assert await endpoints() == []
