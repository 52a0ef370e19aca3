"""How a panel simulator reads a request: the record of it, the fields a document knows, and what does not match it.

Pure: no sockets, no state, and nothing of the project.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl

Encoding = Literal["form", "query", "json"]

CONTENT_TYPES = {"form": "application/x-www-form-urlencoded", "json": "application/json"}
POSITIVE = frozenset({"quantity", "runs", "answer_number", "min", "max", "device", "type_of_traffic"})
NOT_NEGATIVE = frozenset({"interval", "delay", "posts", "old_posts"})


# The error texts and HTTP statuses of standard panels, by the reason of the rejection.
FAMILY_ERRORS: Mapping[str, tuple[int, str]] = {
    "key": (200, "Invalid API key"),
    "request": (200, "Incorrect request"),
    "action": (200, "Incorrect request"),
    "service": (200, "Incorrect service ID"),
    "order": (200, "Incorrect order ID"),
    "funds": (200, "Not enough funds on balance"),
    "minimum": (200, "Quantity less than minimal {}"),
    "maximum": (200, "Quantity more than maximum {}"),
    "no refill": (200, "Refill is disabled for this service"),
    "not completed": (200, "The order is not completed"),
    "refilling": (200, "The order was completed or refill was requested less than 24 hours ago"),
    "refill": (200, "Refill not found"),
    "cancel": (200, "The order cannot be canceled"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One request as it arrived; ``params`` are its parameters as text, wherever this panel reads them from.

    ``headers`` have lower-case names; ``at`` is monotonic seconds.
    """

    method: str
    path: str
    query: dict[str, str]
    query_string: str
    headers: dict[str, str]
    body: bytes
    content_type: str
    params: dict[str, str]
    verb: str
    at: float


class Refusal(Exception):
    """The panel rejects the request; ``reason`` is a key of its table of errors, ``number`` is put into the text."""

    def __init__(self, reason: str, *, number: int = 0, field: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.number = number
        self.field = field


class Violation(Refusal):
    """The request does not match the panel's document; ``sentence`` says how, for the reader of a failing test."""

    def __init__(self, sentence: str, *, reason: str = "request", field: str = "", is_missing: bool = False) -> None:
        super().__init__(reason, field=field)
        self.sentence = sentence
        self.is_missing = is_missing


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of one verb or service type, in addition to the key and the action.

    All of ``required``, exactly one of ``either`` if it is not empty, any of ``optional``, and all or none of
    ``together``.
    """

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    either: tuple[str, ...] = ()
    together: tuple[str, ...] = ()

    def check(self, params: Mapping[str, str], subject: str) -> None:
        """Raise the first ``Violation`` of these rules; ``subject`` names the verb in its sentence."""
        known = {"key", "action", *self.required, *self.optional, *self.either, *self.together}
        for name in params:
            if name not in known:
                raise Violation(f"{subject} has a field the document does not know: {name}", field=name)
        for name in self.required:
            if not params.get(name, "").strip():
                raise Violation(f"{subject} lacks {name}", field=name, is_missing=True)
        if self.either and len(present := [name for name in self.either if name in params]) != 1:
            sentence = f"{subject} needs exactly one of {', '.join(self.either)}, not {' and '.join(present) or 'none'}"
            raise Violation(sentence, field=self.either[-1], is_missing=not present)
        if len({name in params for name in self.together}) > 1:
            raise Violation(f"{subject} needs {' and '.join(self.together)} together", field=self.together[0])
        self._check_numbers(params, subject)

    @staticmethod
    def _check_numbers(params: Mapping[str, str], subject: str) -> None:
        for name, value in params.items():
            pattern = r"[1-9][0-9]*" if name in POSITIVE else r"[0-9]+" if name in NOT_NEGATIVE else r"(?s:.*)"
            if not re.fullmatch(pattern, value):
                raise Violation(f"{subject} has a {name} that is not a whole number: {value!r}", field=name)


def decode(encoding: Encoding | None, query: str, body: bytes) -> dict[str, str]:
    """Return the parameters as text as far as they can be read; a malformed request is recorded, too."""
    if encoding == "json":
        return {
            name: value if isinstance(value, str) else json.dumps(value) for name, value in json_object(body).items()
        }
    text = query if encoding == "query" else body.decode("utf-8", "replace")
    if encoding is None:
        text = "&".join(filter(None, (query, text)))
    return dict(parse_qsl(text, keep_blank_values=True))


def json_object(body: bytes) -> dict[str, object]:
    """Return the JSON object in the body, or nothing."""
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def manner_faults(encoding: Encoding, query: str, content_type: str, body: bytes) -> Iterator[str]:
    """Return sentences about parameters that are in the wrong place or format according to the document."""
    expected = CONTENT_TYPES.get(encoding)
    if expected and content_type.partition(";")[0].strip().lower() != expected:
        yield f"the content type is {content_type or 'missing'}, not {expected}"
    if encoding == "query":
        if body:
            yield "the document puts the parameters in the query, but there is a body"
    elif query:
        yield "the document puts the parameters in the body, but there is a query"
    if encoding == "json":
        if not json_object(body):
            yield "the body is not a JSON object"
        return
    names = [name for name, _ in parse_qsl(query if encoding == "query" else body.decode("utf-8", "replace"), True)]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{name} is sent more than once"
