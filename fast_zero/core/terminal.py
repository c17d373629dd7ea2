"""Output of commands: data on standard output, messages on standard error."""

import json
import re
from collections.abc import Mapping

from rich.console import Console
from rich.markup import escape

STYLES = {"ok": "", "warning": "yellow", "error": "red"}

# Control characters that JSON permits as they are, those that reorder text, and lone surrogates.
UNSAFE = re.compile("[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

# No wrapping, so that a pipe gets whole lines. No emoji, since `1:100:` means what it says.
console = Console(soft_wrap=True, highlight=False, emoji=False)
messages = Console(stderr=True, soft_wrap=True, highlight=False, emoji=False)


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
    """Print JSON, with escapes for what could command a terminal."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    print(UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def format_cell(cell: object) -> str:
    if cell is None:
        return ""
    return cell if isinstance(cell, str) else json.dumps(cell, ensure_ascii=False)


def in_one_line(cell: object) -> str:
    """Escape user input that contains line breaks or terminal control characters."""
    text = format_cell(cell)
    return text if text.isprintable() else json.dumps(text)
