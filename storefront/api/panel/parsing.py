"""Reads what a client sent, wherever it put it, into one dict of texts. What is odd is refused with a sentence.

Clients of the panel API send a form, a multipart form, JSON, a query string or a mixture of them, with the right
content type, a wrong one or none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

from django.conf import settings
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, UnreadablePostError
from django.http.multipartparser import MultiPartParserError

from orders.rules import service_types
from storefront.api.panel.responses import INCORRECT_REQUEST, PanelRefusal

#: What was sent, by name: a text, or texts where the name was written as a list (``orders[]``, ``orders[0]``, JSON).
Params: TypeAlias = dict[str, str | list[str]]

#: Some clients send each of 1,000 ids as a field of its own.
MAX_FIELDS = 3000
MAX_IDS = 1000
KEY_NAMES = ("key", "api", "api_key", "api_token", "secret")
#: Names that collect when they are repeated; of any other name the last one counts.
_REPEATABLE = frozenset({"order", "orders", "order_id", "id", "refill", "refills"})
#: As nearly all clients write them; a thousand ids are taken apart in no time.
_PLAIN_IDS = re.compile(r"\d+(?:,\d+)*", re.ASCII)
#: What no database keeps, and what is left of a text that was not UTF-8.
_UNKEEPABLE = re.compile("[\x00\ud800-\udfff\ufffd]")


def read(http: HttpRequest) -> Params:
    """Everything ``http`` says: the body's parameters before those of the query, both before the headers'.

    ``key`` and ``request_id`` are always there, "" if they were not sent. Raises Refused.
    """
    try:
        size = int(http.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        raise PanelRefusal(INCORRECT_REQUEST, status=400) from None
    if size > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        raise PanelRefusal(f"{INCORRECT_REQUEST}: it is too large", status=413)
    # A WSGI server hands over the bytes of the query as Latin-1.
    query = http.META.get("QUERY_STRING", "").encode("latin-1", "replace")
    params = {**_gather(_form(query)), **_body(http)}
    params["key"] = text(params, *KEY_NAMES) or _key_of(http)
    params["request_id"] = text(params, "request_id") or _request_id_of(http)
    return params


def _key_of(http: HttpRequest) -> str:
    """The key in the headers, for clients that write it there."""
    scheme, _, token = http.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else ""
    return bearer or str(http.META.get("HTTP_X_API_KEY", "")).strip()


def _request_id_of(http: HttpRequest) -> str:
    """The id in the headers: a WSGI server hands over its bytes as Latin-1, and clients send UTF-8."""
    value = str(http.META.get("HTTP_IDEMPOTENCY_KEY", "")).strip()
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value


def text(params: Mapping[str, Any], *names: str) -> str:
    """The first of ``names`` that says something; "undefined", "null" and their like say nothing."""
    return next(filter(None, (service_types.text_of(params, name) for name in names)), "")


def ids(params: Params, *names: str) -> list[str]:
    """The ids under the first of ``names`` that has any: each once, as asked and in that order. Raises Refused."""
    for name in names:
        sent = params.get(name, "")
        if isinstance(sent, list) and len(sent) == 1 and _PLAIN_IDS.fullmatch(sent[0]):
            asked = sent[0].split(",")
            break
        words = re.split(r"[\s,;]+", ",".join(sent) if isinstance(sent, list) else sent)
        # A JSON list may come as the text of a form's field.
        asked = [word for word in (word.strip("[]\"'") for word in words) if word.lower() not in service_types.ABSENT]
        if asked:
            break
    found = list(dict.fromkeys(asked))
    if len(found) > MAX_IDS:
        raise PanelRefusal(f"{INCORRECT_REQUEST}: more than {MAX_IDS} ids")
    return found


def number(word: str) -> int | None:
    """An id of ours, "7" or as a JSON client may write it "7.0"; None for whatever cannot be one."""
    # The plain case by itself: it comes a thousand times in a request.
    if len(word) < 19 and word.isascii() and word.isdigit():
        return int(word)
    match = re.fullmatch(r"(\d{1,18})\.0{1,10}", word, re.ASCII)
    return int(match[1]) if match else None


def _body(http: HttpRequest) -> Params:
    try:
        if http.content_type == "multipart/form-data":
            http.encoding = "utf-8"  # whatever charset was announced
            # Before http.body is touched: Django can read a multipart body only once.
            return _gather((name, value) for name, values in http.POST.lists() for value in map(str, values))
        raw = http.body.removeprefix(b"\xef\xbb\xbf").strip()
    except (SuspiciousOperation, BadRequest, MultiPartParserError, UnreadablePostError) as problem:
        raise PanelRefusal(f"{INCORRECT_REQUEST}: its body cannot be read") from problem
    # The body says what it is; the content type is missing or wrong too often.
    return _gather(_json(raw) if raw.startswith((b"{", b"[")) else _form(raw))


def _form(raw: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        raise PanelRefusal(f"{INCORRECT_REQUEST}: more than {MAX_FIELDS} parameters") from None


def _json(raw: bytes) -> Iterator[tuple[str, str]]:
    """The pairs of a JSON object. Numbers stay the texts they were: 100.0 is judged like the "100.0" of a form."""
    try:
        data = json.loads(raw, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise PanelRefusal(f"{INCORRECT_REQUEST}: the body is not a JSON object")
    for name, value in data.items():
        if isinstance(value, str):
            yield name, value
        elif isinstance(value, (list, dict)):
            # PHP writes a list with gaps as an object.
            items = value.values() if isinstance(value, dict) else value
            yield from ((f"{name}[]", item) for item in items if isinstance(item, str))


def _gather(pairs: Iterable[tuple[str, str]]) -> Params:
    params: Params = {}
    for name, value in pairs:
        if _UNKEEPABLE.search(value):
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
