from typing import Any

from fast_zero.core.database import Session
from fast_zero.filter_language.parsing import FilterError, parse
from fast_zero.filter_language.syntax import count
from fast_zero.summaries import queries

COUNTED = 100
"""How many conditions the saved filters that are counted have together."""


async def read_summary(session: Session, user_id: int) -> dict[str, Any]:
    """Return the counts of open todos. Those of saved filters are a second statement."""
    summary = await queries.select_summary(session, user_id)
    counted = within_limit(summary["filters"])
    texts = [saved["filter"] for saved in counted]
    counts = await queries.count_todos(session, user_id, texts) if texts else []
    shown = [
        {"filter_id": saved["id"], "open": number}
        for saved, number in zip(counted, counts, strict=True)
    ]
    return {**summary, "filters": shown}


def within_limit(saved: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the first saved filters that have few enough conditions together."""
    found, left = [], COUNTED
    for each in saved:
        try:
            left -= count(parse(each["filter"]))
        except FilterError:  # of a later release, perhaps
            continue
        if left < 0:
            break
        found.append(each)
    return found
