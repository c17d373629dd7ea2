"""What undo is expected to answer."""


def conflict(entity, id_, code, field=None, then=None, now=None) -> dict:
    return {
        "entity": entity,
        "id": id_,
        "code": code,
        "field": field,
        "then": then,
        "now": now,
    }


async def title_of(account, todo_id) -> str:
    return (await account.send("GET", f"/todos/{todo_id}"))["title"]
