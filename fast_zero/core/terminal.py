"""Where commands write: data to standard output, talk to standard error."""

import json

from rich.console import Console
from rich.markup import escape

STYLES = {"ok": "", "warning": "yellow", "error": "red"}

# A pipe gets whole lines.
console = Console(soft_wrap=True, highlight=False)
talk = Console(stderr=True, soft_wrap=True, highlight=False)


def show(rows: list[dict[str, object]], *, as_json: bool) -> None:
    """Show rows that have the same columns: as a table, as lines for a pipe, or as JSON."""
    cells = [[written(cell) for cell in row.values()] for row in rows]
    if as_json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
    elif console.is_terminal and rows:
        from rich.table import Table

        table = Table(*rows[0])
        for row, line in zip(rows, cells, strict=True):
            level = row.get("level", "error" if row.get("problem") else "ok")
            table.add_row(*map(escape, line), style=STYLES[str(level)])
        console.print(table)
    else:
        for line in cells:
            print("\t".join(line))


def written(cell: object) -> str:
    if cell is None:
        return ""
    return cell if isinstance(cell, str) else json.dumps(cell, ensure_ascii=False)
