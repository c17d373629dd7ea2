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
        self.requests = 0

    def request(self, method: str, path: str, token: str = "", **content) -> tuple[int, dict]:
        self.requests += 1
        path, _, query = path.partition("?")
        path = (path.rstrip("/") + "/" * (self.requests % 2) or "/") + f"?{query}" * bool(query)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        response = self.http.request(method, path, headers=headers, **content)
        if response.status_code == 401:
            assert response.headers["www-authenticate"].startswith("Bearer")
        return response.status_code, response.json()

    def request_error(
        self, method: str, path: str, token: str = "", **content
    ) -> tuple[int, object]:
        status, response = self.request(method, path, token, **content)
        return status, response["detail"]

    def log_in(self, account: dict[str, str], name: str) -> str:
        form = {"username": account[name], "password": account["password"]}
        status, response = self.request("POST", "/auth/token", data=form)
        assert (status, response["token_type"]) == (200, "bearer")
        return response["access_token"]


def contains(response: dict, **fields: object) -> bool:
    return response.items() >= fields.items()


def check(url: str) -> None:
    """Check the whole contract. No user named bia or caio exists before or afterwards."""
    with httpx2.Client(base_url=url, timeout=30) as http:
        check_all(Client(http))


def check_all(client: Client) -> None:
    assert client.request("GET", "/") == (200, {"message": "Olá Mundo!"})
    token, user_id = check_accounts(client)
    check_todos(client, token)
    assert client.request("DELETE", f"/users/{user_id}", token) == (
        200,
        {"message": "User deleted"},
    )
    error = client.request_error("GET", "/todos", token)
    assert error == (401, "Could not validate credentials")
    caio = client.log_in(CAIO, "username")
    [caio_user] = [user for user in list_users(client) if user["username"] == "caio"]
    assert client.request("DELETE", f"/users/{caio_user['id']}", caio)[0] == 200


def list_users(client: Client) -> list[dict]:
    users: list[dict] = []
    while True:
        status, response = client.request("GET", f"/users?offset={len(users)}&limit=100")
        assert status == 200
        users += response["users"]
        if len(response["users"]) < 100:
            return users


def check_accounts(client: Client) -> tuple[str, int]:
    status, bia = client.request("POST", "/users", json=BIA)
    assert (status, contains(bia, username="bia", email="bia@example.com")) == (201, True)
    assert client.request("POST", "/users", json=CAIO)[0] == 201
    conflict = client.request_error("POST", "/users", json=BIA | {"email": "other@example.com"})
    assert conflict == (409, "Username already exists")
    conflict = client.request_error("POST", "/users", json=BIA | {"username": "other"})
    assert conflict == (409, "Email already exists")
    assert client.request("POST", "/users", json={})[0] == 422
    users = list_users(client)
    assert [user["id"] for user in users] == sorted(user["id"] for user in users)
    assert not any("email" in user for user in users)
    assert client.request_error("GET", f"/users/{UNKNOWN}") == (404, "User not found")
    user_path = f"/users/{bia['id']}"
    assert client.request("GET", user_path)[1]["username"] == "bia"

    wrong = {"username": BIA["email"], "password": "another sentence"}
    error = client.request_error("POST", "/auth/token", data=wrong)
    assert error == (401, "Incorrect email or password")
    token = client.log_in(BIA, "email")
    status, response = client.request("POST", "/auth/refresh_token", token)
    assert (status, response["token_type"]) == (200, "bearer")
    assert client.request_error("POST", "/auth/refresh_token") == (401, "Not authenticated")

    caio = client.log_in(CAIO, "username")
    renamed = BIA | {"username": "beatriz"}
    assert client.request_error("PUT", user_path, json=renamed) == (401, "Not authenticated")
    assert client.request_error("PUT", user_path, caio, json=renamed) == (
        403,
        "Not enough permissions",
    )
    assert client.request_error("DELETE", user_path, caio) == (403, "Not enough permissions")
    conflict = client.request_error("PUT", user_path, token, json=BIA | {"username": "caio"})
    assert conflict == (409, "Username or Email already exists")
    status, changed = client.request("PUT", user_path, token, json=renamed)
    assert (status, contains(changed, username="beatriz")) == (200, True)
    return client.log_in(renamed, "username"), bia["id"]


def check_todos(client: Client, token: str) -> None:
    assert client.request_error("GET", "/todos") == (401, "Not authenticated")
    assert client.request_error("GET", "/todos", "x") == (401, "Could not validate credentials")
    status, milk = client.request("POST", "/todos", token, json=MILK)
    assert (status, contains(milk, **MILK)) == (201, True)
    assert {"id", "created_at", "updated_at"} <= milk.keys()
    status, plain = client.request("POST", "/todos", token, json={"title": "100 % oats_"})
    assert (status, contains(plain, description="", state="todo")) == (201, True)
    assert client.request("POST", "/todos", token, json={"title": ""})[0] == 422
    assert client.request("POST", "/todos", token, json=MILK | {"state": "lost"})[0] == 422

    for query, expected in {
        "": [milk, plain],
        "?title=MILK": [milk],
        "?title=%25": [plain],
        "?description=two&state=doing": [milk],
        "?state=trash": [],
        "?offset=1&limit=1": [plain],
    }.items():
        status, response = client.request("GET", f"/todos{query}", token)
        assert (status, response["todos"]) == (200, expected), query
    for query in ("?limit=0", "?offset=-1", "?state=lost", "?title="):
        assert client.http.get(f"/todos{query}", headers=bearer(token)).status_code == 422, query

    todo_path = f"/todos/{milk['id']}"
    assert client.request("GET", todo_path, token) == (200, milk)
    status, changed = client.request("PATCH", todo_path, token, json={"state": "done"})
    assert (status, contains(changed, **MILK | {"state": "done"})) == (200, True)
    assert client.request("PATCH", todo_path, token, json={"state": "lost"})[0] == 422
    caio = client.log_in(CAIO, "email")
    for method, content in (("GET", {}), ("PATCH", {"json": {}}), ("DELETE", {})):
        for other_token, path in ((caio, todo_path), (token, f"/todos/{UNKNOWN}")):
            assert client.request_error(method, path, other_token, **content) == (
                404,
                "Task not found.",
            )
    deleted = client.request("DELETE", todo_path, token)
    assert deleted == (200, {"message": "Task has been deleted successfully."})
    assert client.request_error("GET", todo_path, token) == (404, "Task not found.")


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
