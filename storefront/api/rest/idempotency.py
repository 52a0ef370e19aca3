"""Idempotency-Key: the first answer to a request is stored, and a repeated request gets it again for a day.

The key, the change that the request makes and its answer are committed together. So a request that was cut off left
nothing behind, and one that is sent twice at the same time waits for the first and gets its answer. By
draft-ietf-httpapi-idempotency-key-header-07.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from hashlib import sha256
from typing import Any

import orjson
from django.db import IntegrityError, transaction
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from orders.db.encrypted_field import Secret
from storefront.api.keys import Caller
from storefront.api.renderers import JsonRenderer
from storefront.api.rest import problems
from storefront.api.rest.models import StoredAnswer
from storefront.api.rest.problems import Code, Problem

HEADER = "Idempotency-Key"
WINDOW = timedelta(hours=24)
#: Refusals that are stored: they say how things stood. After any other one the request may be corrected and sent again
#: with the same key.
_STORED = frozenset({402, 409})
_PRINTABLE = re.compile(r"[\x20-\x7e]{1,255}")

Handler = Callable[..., Response]


def idempotent(*, is_required: bool = False) -> Callable[[Handler], Handler]:
    """Decorate a POST method of a view: with an Idempotency-Key it runs once.

    Args:
        is_required: Refuse requests without a key.
    """

    def decorate(handler: Handler) -> Handler:
        @wraps(handler)
        def once(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
            key = _key_of(request)
            if key is None:
                if is_required:
                    raise Problem(Code.IDEMPOTENCY_KEY_REQUIRED)
                return handler(view, request, *args, **kwargs)
            with transaction.atomic():
                return _run_once(view.caller, request, key, lambda: handler(view, request, *args, **kwargs))

        once.is_key_required = is_required  # type: ignore[attr-defined]
        return once

    return decorate


def prune() -> int:
    """Delete answers that are older than ``WINDOW``; return how many."""
    deleted, _ = StoredAnswer.objects.filter(created_at__lt=timezone.now() - WINDOW).delete()
    return deleted


def _key_of(request: Request) -> str | None:
    """Return the key, without the quotes that the draft puts around it."""
    text = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if text is None:
        return None
    key = text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text
    if not _PRINTABLE.fullmatch(key):
        raise Problem(Code.IDEMPOTENCY_KEY_INVALID)
    return str(key)


def _run_once(caller: Caller, request: Request, key: str, run: Callable[[], Response]) -> Response:
    request_hash = _hash(request)
    stored = StoredAnswer(user_id=caller.user_id, key=_stored_key(caller, key), request_hash=request_hash, status=0)
    earlier = _earlier(stored)
    if earlier is None:
        try:
            with transaction.atomic():
                stored.save(force_insert=True)
        except IntegrityError:
            # The same request came at the same time and was answered while this one waited for its row.
            earlier = _earlier(stored)
            if earlier is None:
                raise Problem(Code.TRY_AGAIN, headers={"Retry-After": "1"}) from None
    if earlier is not None:
        return _replay(earlier, request_hash)
    answer = _answer(run)
    stored.status, stored.location = answer.status_code, answer.headers.get("Location", "")
    stored.body = Secret.hide(JsonRenderer().render(answer.data).decode())
    stored.save(update_fields=["status", "location", "body"])
    return answer


def _stored_key(caller: Caller, key: str) -> str:
    """Return the key as it is stored, so that a sandbox key never gets an answer of the shop, nor the other way around.

    No client can send the line break, so nothing else is stored under the same text.
    """
    return f"sandbox {caller.key_id}\n{sha256(key.encode()).hexdigest()}" if caller.is_sandbox else key


def _answer(run: Callable[[], Response]) -> Response:
    try:
        with transaction.atomic():
            return run()
    except Exception as failure:  # any error of the view; what is not stored is raised again
        problem = problems.of_exception(failure)
        if problem.code.status not in _STORED:
            raise problem from failure
        return problem.response()


def _earlier(stored: StoredAnswer) -> StoredAnswer | None:
    """Return the answer to an earlier request with the same key; one older than ``WINDOW`` is deleted."""
    same = StoredAnswer.objects.filter(user=stored.user_id, key=stored.key)
    same.filter(created_at__lt=timezone.now() - WINDOW).delete()
    return same.first()


def _replay(earlier: StoredAnswer, request_hash: str) -> Response:
    if earlier.request_hash != request_hash:
        raise Problem(Code.IDEMPOTENCY_KEY_REUSED)
    headers = {"Idempotency-Replayed": "true"}
    if earlier.location:
        headers["Location"] = earlier.location
    content_type = problems.CONTENT_TYPE if earlier.status >= 400 else None
    return Response(orjson.loads(earlier.body.reveal()), earlier.status, headers=headers, content_type=content_type)


def _hash(request: Request) -> str:
    body = orjson.dumps(request.data, option=orjson.OPT_SORT_KEYS)
    return sha256(b"\0".join((str(request.method).encode(), request.path.encode(), body))).hexdigest()
