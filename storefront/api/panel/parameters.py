"""The parameters of a call: names and texts, gathered from the query, the body and the headers.

Clients of the panel API send a form, a multipart form, JSON, a query string or a mixture of them, with the right
content type, a wrong one or none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

from orders.rules import order_inputs
from storefront.api.panel.responses import INCORRECT_REQUEST, PanelRefusal

#: The parameters by name: a text, or a list where the name was sent as one (``orders[]``, ``orders[0]``, JSON).
Params: TypeAlias = dict[str, str | list[str]]

#: Some clients send each of 1,000 ids as a separate field.
MAX_FIELDS = 3000
MAX_IDS = 1000
KEY_NAMES = ("key", "api", "api_key", "api_token", "secret")
#: Parameters whose repeated values are collected; of any other parameter the last value counts.
_REPEATABLE = frozenset({"order", "orders", "order_id", "id", "refill", "refills"})
#: The format that nearly all clients use; it is split without further parsing, which is fast for a thousand ids.
_PLAIN_IDS = re.compile(r"\d+(?:,\d+)*", re.ASCII)
#: Characters that databases cannot store, and those that replace bytes which were not UTF-8.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff\ufffd]")

#: The blank that a form makes of a plus which was not escaped. Invitations to Telegram begin with a plus.
_LOST_PLUS = re.compile(r"((?<![^\s/])(?:t|telegram)\.me/) (?=\S)", re.IGNORECASE)


def text(params: Mapping[str, Any], *names: str) -> str:
    """Return the first of ``names`` that has a value. Texts such as "undefined" and "null" count as no value."""
    for name in names:
        if name in params and (found := order_inputs.text_of(params, name)):
            return found
    return ""


def ids(params: Params, *names: str) -> list[str]:
    """Return the distinct ids of the first of ``names`` that has any, in the order in which they were sent.

    Raises:
        PanelRefusal: There are more than ``MAX_IDS``.
    """
    for name in names:
        sent = params.get(name, "")
        if isinstance(sent, list) and len(sent) == 1 and _PLAIN_IDS.fullmatch(sent[0]):
            asked = sent[0].split(",")
            break
        words = re.split(r"[\s,;]+", ",".join(sent) if isinstance(sent, list) else sent)
        # A form field may contain a JSON list as text.
        asked = [word for word in (word.strip("[]\"'") for word in words) if word.lower() not in order_inputs.ABSENT]
        if asked:
            break
    found = list(dict.fromkeys(asked))
    if len(found) > MAX_IDS:
        raise PanelRefusal(f"{INCORRECT_REQUEST}: more than {MAX_IDS} ids")
    return found


def number(word: str) -> int | None:
    """Return an id, sent as "7" or, by some JSON clients, as "7.0"; None if the text cannot be an id."""
    match = re.fullmatch(r"(\d{1,18})(?:\.0{1,10})?", word, re.ASCII)
    return int(match[1]) if match else None


def numbers(words: list[str]) -> list[int]:
    """Return the ids in ``words``, which is not empty, with 0 for each text that cannot be an id (see ``number``)."""
    # Handle the plain case first, all words at once: a request has up to a thousand.
    digits = "".join(words)
    if digits.isascii() and digits.isdigit() and "" not in words and len(max(words, key=len)) < 19:
        return list(map(int, words))
    return [number(word) or 0 for word in words]


def from_form(raw: bytes) -> Params:
    """Read a form or a query string.

    Raises:
        PanelRefusal: There are more than ``MAX_FIELDS`` parameters, or one cannot be stored.
    """
    # Commas between ids are most of the escapes in requests, and replacing them at once is faster than decoding each.
    # A comma has no other meaning in a form, so the result is the same.
    raw = raw.replace(b"%2C", b",").replace(b"%2c", b",")
    try:
        pairs = parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        raise PanelRefusal(f"{INCORRECT_REQUEST}: more than {MAX_FIELDS} parameters") from None
    params = gather(pairs)
    link = params.get("link")
    if isinstance(link, str):
        params["link"] = _LOST_PLUS.sub(r"\1+", link)
    return params


def from_json(raw: bytes) -> Params:
    """Read a JSON object. Numbers stay texts, so that 100.0 is treated like the "100.0" of a form.

    Raises:
        PanelRefusal: It is not an object, or a value cannot be stored.
    """
    try:
        data = json.loads(raw, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise PanelRefusal(f"{INCORRECT_REQUEST}: the body is not a JSON object")
    return gather(_pairs(data))


def _pairs(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in data.items():
        if isinstance(value, str):
            yield name, value
        elif isinstance(value, (list, dict)):
            # PHP encodes a list with gaps as an object.
            items = value.values() if isinstance(value, dict) else value
            yield from ((f"{name}[]", item) for item in items if isinstance(item, str))


def gather(pairs: Iterable[tuple[str, str]]) -> Params:
    """Return the parameters of ``pairs``, with the values of a repeatable name as a list.

    Raises:
        PanelRefusal: A value cannot be stored.
    """
    params: Params = {}
    for name, value in pairs:
        if _UNSTORABLE.search(value):
            raise PanelRefusal(f"{INCORRECT_REQUEST}: {name.partition('[')[0][:40]!a} is not text in UTF-8")
        bare = name.partition("[")[0] if name.endswith("]") else name
        if name.endswith("]") or bare in _REPEATABLE:
            held = params.get(bare)
            if isinstance(held, list):
                held.append(value)
            else:
                params[bare] = [value]
        else:
            params[name] = value
    return params
