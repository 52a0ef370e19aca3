"""Phrases that readers stumble over are rejected: in message ids, in the documentation and in docstrings.

docs/glossary.md has the terms to use instead. Each entry says what to write; a phrase that turns out to be right in
some sentence is a reason to make its pattern narrower, not to remove it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.test_house_rules import OURS, ROOT, parse
from tests.test_translations import in_sources

#: Pattern: what to write instead.
EVERYWHERE = {
    r"whoever|somebody|someone's one": "name the person: the customer, an operator, a visitor",
    r"what came|what has come": "name the thing: the answer, the payment",
    r"(how )?(it|they) stands?": "status, or: is, are",
    r"need do( nothing)?|need not do": "No action needed.",
    r"went back|goes back to|paid back": "refunded",
    r"(is|are|was|were) told": "is notified, receives",
    r"put (this|it) away": "dismiss, remove",
    r"take (it|them) off": "remove, clear",
    r"as it was(?! \w+ed)": "unchanged",
    r"for good": "permanently",
    r"(your|the|a) wish": "request",
    r"who asks": "name the person",
    r"the least|the most is": "minimum, maximum",
    r"makes? no sense": "say what is wrong and what to do",
    r"hears? of": "receives, is subscribed to",
    r"in its own way|of its own way": "say what differs",
    r"dearer": "more expensive",
    r"top-?ups?": "payment",
    r"e-mails?": "email",
    r"log(ged)? (in|out|ins?)|log-?ins?": "sign in, sign out",
    r"manieth": "number",
    r"suppliers?": "provider",
}
#: Words of the code that no customer and no operator reads.
IN_MESSAGES = {
    r"(your|the|their|its|customers?'s?) wallets?": "balance",  # digital wallets are ways to pay
    r"in doubt": "Under review (customers), Outcome unknown (operators)",
    r"placements?": "submission",
    r"(an?|the|this|these|no|its) offers?": "provider service",  # the verb is fine
    r"callbacks?(?!,| IPN)": "webhook",  # gateways name a setting so
    r"kinds?(?! of)": "type",
    r"please (?!try again later)": "leave it out",
}


def messages() -> Iterator[tuple[str, str]]:
    for _context, text in in_sources():
        yield f"message {text[:40]!r}", text


def documents() -> Iterator[tuple[str, str]]:
    for path in sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").rglob("*.md")]):
        if path.name != "glossary.md":  # it names the words to avoid
            prose = re.sub(r"```.*?```|`[^`]*`|\]\([^)]*\)", " ", path.read_text(), flags=re.DOTALL)
            yield str(path.relative_to(ROOT)), prose


def docstrings() -> Iterator[tuple[str, str]]:
    documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    for path in OURS:
        for node in ast.walk(parse(path)):
            if isinstance(node, documented) and (text := ast.get_docstring(node)):
                yield f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}", re.sub(r"``[^`]*``", " ", text)


def find_phrases(phrases: dict[str, str], texts: Iterator[tuple[str, str]]) -> list[str]:
    patterns = {re.compile(rf"\b({phrase})\b", re.IGNORECASE): better for phrase, better in phrases.items()}
    return [
        f"{place}: “{match[0]}” → {better}"
        for place, text in texts
        for pattern, better in patterns.items()
        if (match := pattern.search(text))
    ]


@pytest.mark.parametrize("texts", [messages, documents, docstrings], ids=lambda texts: texts.__name__)
def test_no_text_has_a_phrase_that_readers_stumble_over(texts) -> None:  # type: ignore[no-untyped-def]
    assert find_phrases(EVERYWHERE, texts()) == []


def test_no_message_has_a_word_of_the_code() -> None:
    assert find_phrases(IN_MESSAGES, messages()) == []


def test_each_phrase_is_found_where_it_is_written() -> None:
    text = "Whoever logs in: what came stands as it was, for good."
    assert len(find_phrases(EVERYWHERE, iter([("here", text)]))) == 4
