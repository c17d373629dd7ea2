import re
from html.parser import HTMLParser

import pytest

from fast_zero.core.email.template import Recipient
from fast_zero.core.languages import KNOWN
from fast_zero.email_links import emails, pages
from fast_zero.email_links.emails import TEXTS, Notice
from fast_zero.email_links.models import Purpose

SERVER = "https://todo.example.com/a&b"


class Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words = ""
        self.links = []

    def handle_starttag(self, tag, attrs):
        if tag == "a":
            self.links.append(dict(attrs)["href"])

    def handle_data(self, data):
        self.words += data


def read(html):
    page = Text()
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


def test_english_texts_call_an_email_email():
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
def test_a_link_leads_to_its_page_in_both_forms(purpose, page, language):
    letter = emails.with_link(
        purpose,
        Recipient("ana@example.com", language),
        server=SERVER,
        token="s3cr3t",
        message_id="f00d",
    )
    link = f"{SERVER}/account/{page}?lang={language}#s3cr3t"

    assert (letter.id, letter.to, letter.language) == ("f00d", "ana@example.com", language)
    assert f"\n\n{link}\n\n" in letter.text
    html = read(letter.html)
    assert html.links == [link]
    assert html.words.split() == letter.text.split()
    assert f'<html lang="{language}">' in letter.html
    assert "&amp;b" in letter.html
    assert not re.search(r"[&]b", letter.html)


@pytest.mark.parametrize("language", KNOWN)
@pytest.mark.parametrize("about", Notice)
def test_a_notice_has_no_link_to_follow(about, language):
    letter = emails.notice(
        about, Recipient("ana@example.com", language), server=SERVER, message_id="f00d"
    )

    html = read(letter.html)
    assert html.links == []
    assert html.words.split() == letter.text.split()
    assert SERVER in letter.text
