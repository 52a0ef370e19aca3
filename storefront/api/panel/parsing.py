"""Read the parameters of a call from wherever the client put them, and refuse malformed input with an error text.

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
_UNKEEPABLE = re.compile("[\x00\ud800-\udfff\ufffd]")


def read(http: HttpRequest) -> Params:
    """Return all parameters. Those of the body take precedence over those of the query, and both over the headers.

    ``key`` and ``request_id`` are always present, "" if they were not sent.

    Raises:
        PanelRefusal: The request is malformed or too large.
    """
    try:
        size = int(http.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        raise PanelRefusal(INCORRECT_REQUEST, status=400) from None
    if size > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        raise PanelRefusal(f"{INCORRECT_REQUEST}: it is too large", status=413)
    # A WSGI server passes the bytes of the query as Latin-1.
    query = http.META.get("QUERY_STRING", "").encode("latin-1", "replace")
    params = {**_gather(_form(query)), **_body(http)}
    params["key"] = text(params, *KEY_NAMES) or _key_of(http)
    params["request_id"] = text(params, "request_id") or _request_id_of(http)
    return params


def _key_of(http: HttpRequest) -> str:
    """Return the key from the headers, where some clients send it."""
    scheme, _, token = http.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else ""
    return bearer or str(http.META.get("HTTP_X_API_KEY", "")).strip()


def _request_id_of(http: HttpRequest) -> str:
    """Return the request id from the headers. A WSGI server passes them as Latin-1, and clients send UTF-8."""
    value = str(http.META.get("HTTP_IDEMPOTENCY_KEY", "")).strip()
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value


def text(params: Mapping[str, Any], *names: str) -> str:
    """Return the first of ``names`` that has a value. Texts such as "undefined" and "null" count as no value."""
    return next(filter(None, (order_inputs.text_of(params, name) for name in names)), "")


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
    # Handle the plain case first: it occurs a thousand times in a request.
    if len(word) < 19 and word.isascii() and word.isdigit():
        return int(word)
    match = re.fullmatch(r"(\d{1,18})\.0{1,10}", word, re.ASCII)
    return int(match[1]) if match else None


def _body(http: HttpRequest) -> Params:
    try:
        if http.content_type == "multipart/form-data":
            http.encoding = "utf-8"  # whatever charset was announced
            # Read this before http.body: Django can read a multipart body only once.
            return _gather((name, value) for name, values in http.POST.lists() for value in map(str, values))
        raw = http.body.removeprefix(b"\xef\xbb\xbf").strip()
    except (SuspiciousOperation, BadRequest, MultiPartParserError, UnreadablePostError) as problem:
        raise PanelRefusal(f"{INCORRECT_REQUEST}: its body cannot be read") from problem
    # Detect the format from the body, because the content type is too often missing or wrong.
    return _gather(_json(raw) if raw.startswith((b"{", b"[")) else _form(raw))


def _form(raw: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        raise PanelRefusal(f"{INCORRECT_REQUEST}: more than {MAX_FIELDS} parameters") from None


def _json(raw: bytes) -> Iterator[tuple[str, str]]:
    """Yield the pairs of a JSON object. Numbers stay texts, so that 100.0 is treated like the "100.0" of a form."""
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
            # PHP encodes a list with gaps as an object.
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
