"""Link patterns: the engine runs in linear time and rejects what it does not support."""

from __future__ import annotations

import pytest

from orders.rules import link_patterns
from providers.panels.dialects import DIALECTS


@pytest.mark.parametrize(
    ("pattern", "link", "is_match"),
    [
        (r"https://t\.me/\w+", "https://t.me/vitrine", True),
        (r"https://t\.me/\w+", "https://t.me/vitrine/1", False),
        (r"(?i)https://T\.ME/.+", "https://t.me/vitrine", True),
        (r".+@.+", "имя@пример.рф", True),
        (r".+", "two\nlines", False),
        (r".+", "\ud800", False),
    ],
)
def test_a_pattern_must_match_the_whole_link(pattern: str, link: str, is_match: bool) -> None:
    assert link_patterns.matches(pattern, link) is is_match


@pytest.mark.parametrize("pattern", [r"(?=a)b", r"(?!a)b", r"(?<=a)b", r"(a)\1", r"(?>a)", "(", "a{1001}"])
def test_an_unsupported_pattern_says_why(pattern: str) -> None:
    with pytest.raises(link_patterns.PatternNotSupported) as refused:
        link_patterns.check(pattern)
    assert str(refused.value)


@pytest.mark.parametrize("name", list(DIALECTS))
def test_the_pattern_of_every_dialect_is_supported(name: str) -> None:
    link_patterns.check(DIALECTS[name].link_pattern)
