"""The contract with clients: routes, response formats, statuses and messages."""

import httpx2

BIA = {"username": "bia", "email": "bia@example.com", "password": "a fine long sentence"}
CAIO = {"username": "caio", "email": "caio@example.com", "password": "a fine long sentence"}
MILK = {"title": "Milk", "description": "Two litres", "state": "doing"}
UNKNOWN = 2**62


class Client:
    """A client that alternates between paths with and without a trailing slash."""

    def __init__(self, http: httpx2.Client) -> None:
        self.http = http
        self.asked = 0

    def ask(self, method: str, path: str, token: str = "", **content) -> tuple[int, dict]:
        self.asked += 1
        path, _, query = path.partition("?")
        path = (path.rstrip("/") + "/" * (self.asked % 2) or "/") + f"?{query}" * bool(query)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        response = self.http.request(method, path, headers=headers, **content)
        if response.status_code == 401:
            assert response.headers["www-authenticate"].startswith("Bearer")
        return response.status_code, response.json()

    def refused(self, method: str, path: str, token: str = "", **content) -> tuple[int, object]:
        status, response = self.ask(method, path, token, **content)
        return status, response["detail"]

    def log_in(self, account: dict[str, str], name: str) -> str:
        form = {"username": account[name], "password": account["password"]}
        status, response = self.ask("POST", "/auth/token", data=form)
        assert (status, response["token_type"]) == (200, "bearer")
        return response["access_token"]


def has(response: dict, **fields: object) -> bool:
    return response.items() >= fields.items()


def hold(url: str) -> None:
    """Check the whole contract. No user named bia or caio exists before or afterwards."""
    with httpx2.Client(base_url=url, timeout=30) as http:
        hold_with(Client(http))


def hold_with(client: Client) -> None:
    assert client.ask("GET", "/") == (200, {"message": "Olá Mundo!"})
    token, user_id = hold_for_accounts(client)
    hold_for_todos(client, token)
    assert client.ask("DELETE", f"/users/{user_id}", token) == (200, {"message": "User deleted"})
    refused = client.refused("GET", "/todos", token)
    assert refused == (401, "Could not validate credentials")
    caio = client.log_in(CAIO, "username")
    [found] = [user for user in listed(client) if user["username"] == "caio"]
    assert client.ask("DELETE", f"/users/{found['id']}", caio)[0] == 200


def listed(client: Client) -> list[dict]:
    users: list[dict] = []
    while True:
        status, response = client.ask("GET", f"/users?offset={len(users)}&limit=100")
        assert status == 200
        users += response["users"]
        if len(response["users"]) < 100:
            return users


def hold_for_accounts(client: Client) -> tuple[str, int]:
    status, bia = client.ask("POST", "/users", json=BIA)
    assert (status, has(bia, username="bia", email="bia@example.com")) == (201, True)
    assert client.ask("POST", "/users", json=CAIO)[0] == 201
    taken = client.refused("POST", "/users", json=BIA | {"email": "other@example.com"})
    assert taken == (409, "Username already exists")
    taken = client.refused("POST", "/users", json=BIA | {"username": "other"})
    assert taken == (409, "Email already exists")
    assert client.ask("POST", "/users", json={})[0] == 422
    users = listed(client)
    assert [user["id"] for user in users] == sorted(user["id"] for user in users)
    assert not any("email" in user for user in users)
    assert client.refused("GET", f"/users/{UNKNOWN}") == (404, "User not found")
    mine = f"/users/{bia['id']}"
    assert client.ask("GET", mine)[1]["username"] == "bia"

    wrong = {"username": BIA["email"], "password": "another sentence"}
    refused = client.refused("POST", "/auth/token", data=wrong)
    assert refused == (401, "Incorrect email or password")
    token = client.log_in(BIA, "email")
    status, response = client.ask("POST", "/auth/refresh_token", token)
    assert (status, response["token_type"]) == (200, "bearer")
    assert client.refused("POST", "/auth/refresh_token") == (401, "Not authenticated")

    caio = client.log_in(CAIO, "username")
    renamed = BIA | {"username": "beatriz"}
    assert client.refused("PUT", mine, json=renamed) == (401, "Not authenticated")
    assert client.refused("PUT", mine, caio, json=renamed) == (403, "Not enough permissions")
    assert client.refused("DELETE", mine, caio) == (403, "Not enough permissions")
    taken = client.refused("PUT", mine, token, json=BIA | {"username": "caio"})
    assert taken == (409, "Username or Email already exists")
    status, changed = client.ask("PUT", mine, token, json=renamed)
    assert (status, has(changed, username="beatriz")) == (200, True)
    return client.log_in(renamed, "username"), bia["id"]


def hold_for_todos(client: Client, token: str) -> None:
    assert client.refused("GET", "/todos") == (401, "Not authenticated")
    assert client.refused("GET", "/todos", "x") == (401, "Could not validate credentials")
    status, milk = client.ask("POST", "/todos", token, json=MILK)
    assert (status, has(milk, **MILK)) == (201, True)
    assert {"id", "created_at", "updated_at"} <= milk.keys()
    status, plain = client.ask("POST", "/todos", token, json={"title": "100 % oats_"})
    assert (status, has(plain, description="", state="todo")) == (201, True)
    assert client.ask("POST", "/todos", token, json={"title": ""})[0] == 422
    assert client.ask("POST", "/todos", token, json=MILK | {"state": "lost"})[0] == 422

    for query, found in {
        "": [milk, plain],
        "?title=MILK": [milk],
        "?title=%25": [plain],
        "?description=two&state=doing": [milk],
        "?state=trash": [],
        "?offset=1&limit=1": [plain],
    }.items():
        status, response = client.ask("GET", f"/todos{query}", token)
        assert (status, response["todos"]) == (200, found), query
    for query in ("?limit=0", "?offset=-1", "?state=lost", "?title="):
        assert client.http.get(f"/todos{query}", headers=bearer(token)).status_code == 422, query

    its = f"/todos/{milk['id']}"
    assert client.ask("GET", its, token) == (200, milk)
    status, changed = client.ask("PATCH", its, token, json={"state": "done"})
    assert (status, has(changed, **MILK | {"state": "done"})) == (200, True)
    assert client.ask("PATCH", its, token, json={"state": "lost"})[0] == 422
    caio = client.log_in(CAIO, "email")
    for method, content in (("GET", {}), ("PATCH", {"json": {}}), ("DELETE", {})):
        for who, path in ((caio, its), (token, f"/todos/{UNKNOWN}")):
            assert client.refused(method, path, who, **content) == (404, "Task not found.")
    deleted = client.ask("DELETE", its, token)
    assert deleted == (200, {"message": "Task has been deleted successfully."})
    assert client.refused("GET", its, token) == (404, "Task not found.")


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
