"""Output of commands: data on standard output, messages on standard error."""

import json
from collections.abc import Mapping

from rich.console import Console
from rich.markup import escape

STYLES = {"ok": "", "warning": "yellow", "error": "red"}

# No wrapping, so that a pipe gets whole lines.
console = Console(soft_wrap=True, highlight=False)
messages = Console(stderr=True, soft_wrap=True, highlight=False)


def show(rows: list[dict[str, object]], *, as_json: bool) -> None:
    """Print rows with the same columns: as a table, as lines for a pipe, or as JSON."""
    if as_json:
        print_json(rows)
    elif not console.is_terminal:
        for row in rows:
            print("\t".join(map(format_cell, row.values())))
    elif not rows:
        messages.print("The list is empty.")
    else:
        from rich.table import Table

        table = Table(*rows[0])
        for row in rows:
            level = row.get("level", "error" if row.get("problem") else "ok")
            cells = (escape(in_one_line(cell)) for cell in row.values())
            table.add_row(*cells, style=STYLES[str(level)])
        console.print(table)


def show_one(row: Mapping[str, object], *, as_json: bool) -> None:
    """Print one item: a line for each field, or JSON."""
    if as_json:
        print_json(row)
        return
    for name, value in row.items():
        print(f"{name}: {in_one_line(value)}".rstrip())


def print_json(value: object) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False))


def format_cell(cell: object) -> str:
    if cell is None:
        return ""
    return cell if isinstance(cell, str) else json.dumps(cell, ensure_ascii=False)


def in_one_line(cell: object) -> str:
    """Escape user input that contains line breaks or terminal control characters."""
    text = format_cell(cell)
    return text if text.isprintable() else json.dumps(text)
