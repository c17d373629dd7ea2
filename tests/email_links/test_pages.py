"""The pages that links in emails open."""

import asyncio
import json
import re
import shutil
from base64 import b64encode
from hashlib import sha256

import pytest

from fast_zero.app import create_app
from fast_zero.email_links.service import LINK_NOT_VALID
from tests.core.expect import invalid_fields

PAGES = {
    "/account/confirm": ("Confirm your email address", "../auth/email/confirm"),
    "/account/password": ("Choose a new password", "../auth/password/reset"),
    "/account/register": ("Create your account", "../users"),
}


@pytest.fixture(scope="module")
def app(settings):
    """Return the API alone. Where the page is served, these lead to it."""
    return create_app(settings.model_copy(update={"web": False}))


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_sends_the_token_when_its_button_is_pressed(anonymous, path, statements):
    title, target = PAGES[path]

    with statements() as sent:
        page = await anonymous.get(path)

    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert f"<h1>{title}</h1>" in page.text
    assert f'fetch("{target}"' in page.text
    assert not re.search(r"https?://", page.text)
    assert sent == []


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_allows_only_its_own_script(anonymous, path):
    page = await anonymous.get(path)
    [script] = re.findall("<script>(.*?)</script>", page.text, re.DOTALL)

    policy = page.headers["content-security-policy"]
    assert f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'" in policy
    assert "default-src 'none'" in policy
    assert page.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    ("query", "header", "language"),
    [("", "", "en"), ("", "pt", "pt-BR"), ("?lang=pt-BR", "en", "pt-BR"), ("?lang=en", "pt", "en")],
)
@pytest.mark.parametrize("path", PAGES)
async def test_a_page_is_in_the_language_of_the_email(anonymous, path, query, header, language):
    page = await anonymous.get(path + query, headers={"Accept-Language": header})

    assert f'<html lang="{language}">' in page.text
    assert (PAGES[path][0] in page.text) == (language == "en")


async def test_an_unknown_language_is_refused(anonymous):
    assert invalid_fields(await anonymous.get("/account/confirm?lang=xx")) == ["query.lang"]


REGISTERED = "Your account is ready, and your address is confirmed. Log in from now on."
TAKEN = "This username is taken, or your address has an account already."
# A stub of what the script uses of a browser. It presses the button.
BROWSER = """
const requests = []
const listen = (_, act) => { nodes.press = act }
const nodes = {form: {addEventListener: listen, querySelector: () => ({})}, p: {}}
globalThis.document = {querySelector: name => nodes[name]}
globalThis.location = {hash: "#FRAGMENT"}
globalThis.FormData = class { *[Symbol.iterator]() { yield* FIELDS } }
globalThis.fetch = async (path, options) => { requests.push([path, options]); return RESPONSE }
SCRIPT
await nodes.press({preventDefault() {}})
console.log(JSON.stringify([requests, nodes.p.textContent, nodes.form.hidden]))
"""


@pytest.mark.skipif(not shutil.which("node"), reason="node is needed to run the script of a page")
@pytest.mark.parametrize(
    ("path", "fields", "status", "message"),
    [
        ("/account/confirm", {}, 204, "Your address is confirmed. You can close this page."),
        ("/account/confirm", {}, 409, "Somebody else has this address by now."),
        ("/account/password", {"password": "new"}, 404, LINK_NOT_VALID.detail),
        ("/account/register", {"username": "ana", "password": "new"}, 201, REGISTERED),
        ("/account/register", {"username": "ana", "password": "new"}, 409, TAKEN),
    ],
)
async def test_the_script_of_a_page_sends_the_token_and_shows_the_result(
    anonymous, path, fields, status, message
):
    invited = path == "/account/register"
    fragment = "invitation=s3cr3t&email=ana%2Btodo%40example.com" if invited else "s3cr3t"
    sent = {"invitation": "s3cr3t", "email": "ana+todo@example.com"} if invited else None
    page = await anonymous.get(path)
    [script] = re.findall("<script>(.*?)</script>", page.text, re.DOTALL)
    program = BROWSER.replace("SCRIPT", script).replace("FIELDS", json.dumps(list(fields.items())))
    program = program.replace("FRAGMENT", fragment)
    program = program.replace("RESPONSE", json.dumps({"status": status, "ok": status < 300}))

    node = await asyncio.create_subprocess_exec(
        "node", "--input-type=module", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await node.communicate(program.encode())

    requests, shown, hidden = json.loads(output)
    [[target, options]] = requests
    assert target == PAGES[path][1]
    assert options["method"] == "POST"
    assert json.loads(options["body"]) == (sent or {"token": "s3cr3t"}) | fields
    assert (shown, hidden) == (message, status < 300)
