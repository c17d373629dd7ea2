import pytest

FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "accept", [FIREFOX, "text/html", "TEXT/HTML ; charset=utf-8 ; Q=0.9, application/json;q=0.8"]
)
async def test_a_browser_is_redirected_to_the_page(anonymous, method, accept):
    response = await anonymous.request(method, "/", headers={"Accept": accept})

    assert (response.status_code, response.headers["location"]) == (303, "/app/")
    assert response.headers["vary"] == "Accept"


@pytest.mark.parametrize(
    "accept",
    ["*/*", "", "application/json", "application/json, text/html;q=0.9", "text/*", "text/html;q=0"],
)
async def test_other_clients_get_the_greeting(anonymous, accept):
    response = await anonymous.get("/", headers={"Accept": accept})

    assert (response.status_code, response.json()) == (200, {"message": "Olá Mundo!"})
    assert response.headers["vary"] == "Accept"


async def test_several_accept_headers_are_combined(anonymous):
    headers = [("Accept", "application/json;q=0.5"), ("Accept", "text/html")]

    assert (await anonymous.get("/", headers=headers)).status_code == 303
