"""PHP warnings around an answer do not change how it is read."""

from __future__ import annotations

import json
import time

import pytest

from providers.errors import UnreadableAnswer
from providers.http.messages import Answer
from providers.panels.bodies import parse
from providers.panels.dialects import DIALECTS
from providers.panels.php_messages import without_php_messages
from providers.panels.services import read_services

HTML = "<br />\n<b>Deprecated</b>:  x in <b>/a.php</b> on line <b>3</b><br />\n"
PLAIN = '\nWarning: Undefined array key "type" in /var/www/api.php on line 12\n'
LOGGED = "PHP Notice:  Trying to access array offset in /a.php on line 7\n"
BODY = {"order": 5, "note": "Warning: not on line"}
TEXT = json.dumps(BODY)


@pytest.mark.parametrize("before", ["", HTML, PLAIN, LOGGED, HTML * 3, HTML + PLAIN + LOGGED])
@pytest.mark.parametrize("after", ["", HTML, PLAIN, HTML * 2, PLAIN + "\n\n"])
def test_warnings_around_an_answer_do_not_change_it(before: str, after: str) -> None:
    assert parse(Answer(status=200, text=before + TEXT + after), DIALECTS["v2"]) == BODY


@pytest.mark.parametrize(
    "text",
    [
        "<html><body>" + TEXT,
        "<br />\n<b>Fatal error</b>:  x in <b>/a.php</b> on line <b>3</b><br />\n" + TEXT,
        HTML,
        HTML + "gone",
        TEXT + HTML + "more",
        TEXT + TEXT,
        TEXT[:-1] + HTML,
    ],
)
def test_nothing_else_around_an_answer_is_removed(text: str) -> None:
    with pytest.raises(UnreadableAnswer):
        parse(Answer(status=200, text=text), DIALECTS["v2"])


def test_a_price_list_is_read_behind_a_warning() -> None:
    row = {"service": 1, "name": "Followers", "rate": "1", "min": "10", "max": "1000"}
    (listed,) = read_services(Answer(status=200, text=HTML + json.dumps([row])), DIALECTS["v2"])
    assert (listed.upstream_id, listed.problem) == ("1", "")


def test_many_warnings_take_no_longer_than_their_length() -> None:
    started = time.process_time()
    for text in (HTML * 50_000, "Warning: " * 300_000, "<br /><b>Notice</b>:" * 100_000, "\n" * 1_000_000):
        without_php_messages(text)
    assert time.process_time() - started < 5
