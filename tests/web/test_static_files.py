"""The files that pages load."""

import re

from fast_zero.web import static_files

SCRIPTS_BYTES = 60_000


async def test_files_are_immutable_and_need_no_session(anonymous):
    for name, file in static_files.files().items():
        response = await anonymous.get(static_files.address_of(name))
        assert response.status_code == 200
        assert response.content == file.content
        assert response.headers["content-type"] == file.media_type
        assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert (await anonymous.head(static_files.address_of(name))).content == b""


async def test_other_names_and_digests_do_not_exist(anonymous):
    digest = static_files.digest()
    for path in (
        "/static/0000000000000000/app.js",
        f"/static/{digest}/nothing.js",
        f"/static/{digest}/../router.py",
        f"/static/{digest}/..%2Frouter.py",
        f"/static/{digest}",
    ):
        response = await anonymous.get(path)
        assert response.status_code == 404, path
        assert response.headers["content-type"] == "application/problem+json"


async def test_a_page_loads_only_files_that_exist(reader):
    page = await reader.get("/app/today")
    addresses = set(re.findall(r'"(/static/[^"#]+)', page.text))

    assert len(addresses) >= 4
    for address in addresses:
        assert (await reader.get(address)).status_code == 200


async def test_every_icon_that_a_template_names_is_in_the_sprite():
    sprite = static_files.files()["icons.svg"].content.decode()
    there = set(re.findall(r'<symbol id="(\w+)"', sprite))
    templates = "".join(
        path.read_text() for path in (static_files.FOLDER.parent / "templates").rglob("*.html")
    )
    named = set(re.findall(r'icon\("(\w+)"\)', templates))

    assert len(named) >= 10
    assert named <= there


async def test_all_modules_together_are_light():
    files = static_files.files()

    scripts = [file.content for name, file in files.items() if name.endswith(".js")]
    assert sum(map(len, scripts)) < SCRIPTS_BYTES
