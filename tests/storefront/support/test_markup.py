"""Plain text is rendered as HTML, and nothing in it becomes markup."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storefront.support import markup

ALLOWED = {"p", "br", "ul", "li", "h2", "h3", "a"}
EVIL = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "https://a.example/\"onmouseover='alert(1)'",
    "https://a.example/<script>",
    "javascript:alert(1)",
    "data:text/html,<b>x</b>",
    "# <b>head</b>",
    "- <i>item</i> https://x.example/?a=1&b=<2>",
    "&lt;script&gt;",
    "https://x.example/`'\"",
]


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def read(html: str) -> _Tags:
    parser = _Tags()
    parser.feed(html)
    parser.close()
    return parser


def assert_harmless(html: str) -> None:
    for tag, attrs in read(html).tags:
        assert tag in ALLOWED
        assert set(attrs) == ({"href", "rel", "dir"} if tag == "a" else set())
        if tag == "a":
            assert re.match(r"https?://", attrs["href"] or "", re.IGNORECASE)


@pytest.mark.parametrize("text", EVIL)
def test_user_text_is_never_markup(text: str) -> None:
    for made in (markup.document(text), markup.message(text)):
        assert_harmless(made)
        assert text.lstrip("#- ").strip() in read(made).text


@given(st.text(alphabet=st.sampled_from("<>&\"'`# -\n\r/:hxtps.()\x00а\u202e"), max_size=80) | st.text())
def test_random_text_is_never_markup(text: str) -> None:
    assert_harmless(markup.document(text))
    assert_harmless(markup.message(text))


def test_a_document_has_headings_lists_and_paragraphs() -> None:
    made = markup.document("# Head\nOne\ntwo\n\n- a\n- b\nAfter\n\n## Less")
    assert made == "<h2>Head</h2>\n<p>One<br>two</p>\n<ul><li>a</li><li>b</li></ul>\n<p>After</p>\n<h3>Less</h3>"


def test_a_message_has_no_headings_or_lists() -> None:
    assert markup.message("# 1 is late\n- really") == "<p># 1 is late<br>- really</p>"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("see https://a.example/x.", "https://a.example/x"),
        ("(https://a.example/x)", "https://a.example/x"),
        ("https://a.example/x_(y)", "https://a.example/x_(y)"),
        ("https://a.example/?a=1&b=2!", "https://a.example/?a=1&b=2"),
        ("HTTP://A.example", "HTTP://A.example"),
    ],
)
def test_a_link_ends_where_its_sentence_does(text: str, address: str) -> None:
    links = [attrs["href"] for tag, attrs in read(markup.message(text)).tags if tag == "a"]
    assert links == [address]


@pytest.mark.parametrize("text", ["", "  \n \r\n ", "\x00"])
def test_empty_text_renders_nothing(text: str) -> None:
    assert markup.document(text) == markup.message(text) == ""
