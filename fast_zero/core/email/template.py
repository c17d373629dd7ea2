"""Renders an email as text and as HTML."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from string import Template

from fast_zero.core.email.sending import OutgoingEmail

HTML = Template("""\
<!doctype html>
<html lang="$language">
<head><meta charset="utf-8"><title>$subject</title></head>
<body style="font-family: sans-serif; line-height: 1.5; max-width: 36em">
$blocks
</body>
</html>
""")

Block = str | Sequence[str]
"""A paragraph, or the items of a list. A paragraph that equals the link becomes an anchor."""


@dataclass(frozen=True)
class Recipient:
    address: str
    language: str


def write(
    blocks: Sequence[Block], to: Recipient, subject: str, *, message_id: str, link: str
) -> OutgoingEmail:
    return OutgoingEmail(
        id=message_id,
        to=to.address,
        language=to.language,
        subject=subject,
        text="\n\n".join(map(to_text, blocks)) + "\n",
        html=HTML.substitute(
            language=to.language,
            subject=escape(subject),
            blocks="\n".join(to_html(block, link) for block in blocks),
        ),
    )


def to_text(block: Block) -> str:
    return block if isinstance(block, str) else "\n".join(f"- {item}" for item in block)


def to_html(block: Block, link: str) -> str:
    if not isinstance(block, str):
        return "<ul>{}</ul>".format("".join(f"<li>{escape(item)}</li>" for item in block))
    words = escape(block)
    return f'<p><a href="{words}">{words}</a></p>' if block == link else f"<p>{words}</p>"
