"""A user's public posts as a feed: Atom or JSON Feed."""

import re
from textwrap import shorten
from urllib.parse import quote
from xml.etree.ElementTree import Element, SubElement, tostring

from fast_zero.core.database import AnyRow
from fast_zero.syndication.schemas import JsonFeed, JsonFeedAuthor, JsonFeedItem, SyndicatedPost

ATOM = "application/atom+xml"
JSON_FEED = "application/feed+json"
TITLE_LENGTH = 80
# XML 1.0, section 2.2, cannot represent these characters.
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def address(server: str, username: str, kind: str) -> str:
    return f"{server}/users/{quote(username, safe='')}/feed.{kind}"


def entries(author: AnyRow) -> list[SyndicatedPost]:
    return [SyndicatedPost.model_validate(post) for post in author.posts or []]


def as_json_feed(author: AnyRow, server: str) -> JsonFeed:
    """Build a JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/)."""
    name = author.display_name or author.username
    return JsonFeed(
        title=name,
        feed_url=address(server, author.username, "json"),
        description=author.bio or None,
        authors=[JsonFeedAuthor(name=name)],
        items=[
            JsonFeedItem(
                id=f"{server}/posts/{post.id}",
                url=f"{server}/posts/{post.id}",
                content_text=post.text,
                date_published=post.created_at,
                date_modified=post.edited_at or post.created_at,
            )
            for post in entries(author)
        ],
    )


def as_atom(author: AnyRow, server: str) -> bytes:
    """Build an Atom feed (RFC 4287)."""
    name = author.display_name or author.username
    here = address(server, author.username, "atom")
    feed = Element("feed", xmlns="http://www.w3.org/2005/Atom")
    add_elements(feed, id=here, title=name, updated=author.updated_at.isoformat())
    if author.bio:
        add_elements(feed, subtitle=author.bio)
    SubElement(feed, "link", rel="self", type=ATOM, href=here)
    add_elements(SubElement(feed, "author"), name=name)
    for post in entries(author):
        where = f"{server}/posts/{post.id}"
        entry = SubElement(feed, "entry")
        add_elements(
            entry,
            id=where,
            title=shorten(post.text, TITLE_LENGTH, placeholder=" …") or "…",
            published=post.created_at.isoformat(),
            updated=(post.edited_at or post.created_at).isoformat(),
            content=post.text,
        )
        SubElement(entry, "link", rel="alternate", href=where)
    document: bytes = tostring(feed, encoding="utf-8", xml_declaration=True)
    return document


def add_elements(element: Element, **texts: str) -> None:
    for tag, text in texts.items():
        SubElement(element, tag).text = NOT_XML.sub("\ufffd", text)
