"""What a client that mirrors an account has to have, as other routes show it."""


async def send(client, method, path, **options) -> dict:
    response = await client.request(method, path, **options)
    assert response.status_code < 300, response.text
    return response.json() if response.content else {}


async def everything(client) -> dict:
    """Return what other routes show, as a mirror has it."""
    found = {}
    projects = (await send(client, "GET", "/projects?limit=1000"))["projects"]
    for project in projects:
        found["project", project["id"]] = project
        sections = await send(client, "GET", f"/projects/{project['id']}/sections?limit=1000")
        found |= {("section", section["id"]): section for section in sections["sections"]}
    labels = (await send(client, "GET", "/labels?limit=1000"))["labels"]
    found |= {("label", label["id"]): label for label in labels}
    ids = {label["name"]: label["id"] for label in labels}
    for todo in (await send(client, "GET", "/todos?limit=1000"))["todos"]:
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
