"""What a client that mirrors an account has to have, as other routes show it."""


async def send(client, method, path, **options) -> dict:
    response = await client.request(method, path, **options)
    assert response.status_code < 300, response.text
    return response.json() if response.content else {}


async def collect(client, path) -> list[dict]:
    """Return all of a collection, page by page."""
    things, name = [], path.rpartition("/")[2]
    after = {}
    while after is not None:
        page = await send(client, "GET", path, params={"limit": 1000, **after})
        things += page[name]
        after = {"after": page["next"]} if page["next"] else None
    return things


async def everything(client) -> dict:
    """Return what other routes show, as a mirror has it."""
    found = {}
    for project in await collect(client, "/projects"):
        found["project", project["id"]] = project
        sections = await collect(client, f"/projects/{project['id']}/sections")
        found |= {("section", section["id"]): section for section in sections}
    labels = await collect(client, "/labels")
    found |= {("label", label["id"]): label for label in labels}
    ids = {label["name"]: label["id"] for label in labels}
    for saved in await collect(client, "/filters"):
        found["filter", saved["id"]] = saved
    for todo in await collect(client, "/todos"):
        carried = sorted(ids[name] for name in todo.pop("labels"))
        for name in ("blocked", "subtasks", "open_subtasks"):
            todo.pop(name)
        found["todo", todo["id"]] = {**todo, "label_ids": carried}
        relations = await send(client, "GET", f"/todos/{todo['id']}/relations")
        for relation in relations["relations"]:
            kind, pair = relation["kind"], (todo["id"], relation["todo_id"])
            if kind == "blocked_by" or (kind == "relates_to" and pair[0] > pair[1]):
                continue
            found["relation", f"{pair[0]}-{kind}-{pair[1]}"] = {
                "todo_id": pair[0],
                "kind": kind,
                "other_id": pair[1],
                "created_at": relation["created_at"],
            }
    return found
