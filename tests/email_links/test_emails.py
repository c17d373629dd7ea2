import re
from html.parser import HTMLParser

import pytest

from fast_zero.core.email.template import Recipient
from fast_zero.core.languages import KNOWN
from fast_zero.email_links import emails, pages
from fast_zero.email_links.emails import TEXTS, Notice
from fast_zero.email_links.models import Purpose

SERVER = "https://todo.example.com/a&b"


class ParsedHTML(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words = ""
        self.links = []

    def handle_starttag(self, tag, attrs):
        if tag == "a":
            self.links.append(dict(attrs)["href"])

    def handle_data(self, data):
        self.words += data


def parse(html):
    page = ParsedHTML()
    page.feed(html.split("</head>")[1])
    return page


def test_every_email_exists_in_every_language():
    assert TEXTS.keys() == set(KNOWN)
    for texts in TEXTS.values():
        assert texts.keys() == {*Purpose, *Notice, emails.INVITATION}
        for about, text in texts.items():
            subject, first, *rest = text.strip().split("\n\n")
            assert len(subject) < 60
            assert "$" not in subject
            assert "$server" in first
            assert rest.count("$link") == (about not in set(Notice))


def test_english_texts_use_the_word_email():
    texts = f"{TEXTS['en']} {pages.CONFIRM['en']} {pages.PASSWORD['en']} {pages.REGISTER['en']}"

    assert "email address" in texts
    assert re.findall(r"e-mail|letter", texts, re.IGNORECASE) == []


@pytest.mark.parametrize("language", KNOWN)
@pytest.mark.parametrize(
    ("purpose", "page"),
    [
        (Purpose.VERIFICATION, "confirm"),
        (Purpose.ADDRESS, "confirm"),
        (Purpose.PASSWORD, "password"),
    ],
)
def test_text_and_html_contain_the_link_to_its_page(purpose, page, language):
    message = emails.with_link(
        purpose,
        Recipient("ana@example.com", language),
        server=SERVER,
        token="s3cr3t",
        message_id="f00d",
    )
    link = f"{SERVER}/account/{page}?lang={language}#s3cr3t"

    assert (message.id, message.to, message.language) == ("f00d", "ana@example.com", language)
    assert f"\n\n{link}\n\n" in message.text
    html = parse(message.html)
    assert html.links == [link]
    assert html.words.split() == message.text.split()
    assert f'<html lang="{language}">' in message.html
    assert "&amp;b" in message.html
    assert not re.search(r"[&]b", message.html)


@pytest.mark.parametrize("language", KNOWN)
@pytest.mark.parametrize("about", Notice)
def test_a_notice_contains_no_link(about, language):
    message = emails.notice(
        about, Recipient("ana@example.com", language), server=SERVER, message_id="f00d"
    )

    html = parse(message.html)
    assert html.links == []
    assert html.words.split() == message.text.split()
    assert SERVER in message.text
