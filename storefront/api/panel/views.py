"""The view of the panel API: read the request, identify the caller, run the action and return errors as texts.

It is a plain view without middleware (see ``storefront.api.entry``): no cookie, session or CSRF token, because the key
identifies the caller. Clients send any Accept header, or none, and get JSON.
"""

from __future__ import annotations

import logging
import re

from django.conf import settings
from django.core.cache import cache
from django.db import Error as DatabaseFailure
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from storefront.accounts import ip_addresses, plain_http, security_log
from storefront.api import throttling
from storefront.api.panel import authentication, responses
from storefront.api.panel.actions import ACTIONS, WRITES, Answer
from storefront.api.panel.authentication import Caller
from storefront.api.panel.parsing import Params, read, text
from storefront.api.panel.responses import INCORRECT_REQUEST, PanelRefusal, ServicesDocument
from storefront.api.sandbox.actions import ACTIONS as SANDBOX
from storefront.api.throttling import TooManyCalls
from storefront.web import maintenance

log = logging.getLogger(__name__)

#: An Accept-Encoding that allows gzip; "gzip;q=0" forbids it.
_UNPACKS = re.compile(r"\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|\Z))", re.IGNORECASE)


@csrf_exempt
def panel(request: HttpRequest) -> HttpResponse:
    """Answer a call of the panel API."""
    # HEAD is refused: with the parameters of an add it would place an order.
    if request.method not in ("GET", "POST"):
        return responses.not_allowed()
    name = ""
    try:
        params = read(request)
        name = text(params, "action").lower()
        if params["key"] and plain_http.is_exposed(request):
            return responses.exposed(name)
        if maintenance.message() is not None:
            return _not_now(name, responses.CLOSED, 503, maintenance.RETRY_AFTER)
        return _sent(request, _answer(request, name, params))
    except PanelRefusal as refusal:
        if refusal.text == responses.INVALID_KEY:
            _note_unknown_key(request)
        return responses.error(refusal.text, status=refusal.status)
    except TooManyCalls as pause:
        return _not_now(name, responses.TOO_MANY, 429, pause.wait)
    except Exception as failure:
        log.exception("The panel API failed.")
        return _failed(name, failure)


def _answer(request: HttpRequest, name: str, params: Params) -> Answer:
    address = ip_addresses.client_address(request)
    throttling.count(f"address.{ip_addresses.household(address)}", settings.API_ADDRESS_CALLS_A_MINUTE)
    if name not in ACTIONS:
        raise PanelRefusal(INCORRECT_REQUEST)
    caller = authentication.identify(text(params, "key"))
    throttling.count(
        f"key.{caller.key_id}",
        settings.API_CALLS_A_MINUTE if caller.calls_a_minute is None else caller.calls_a_minute,
    )
    _check(caller, name, address, by_get=request.method == "GET")
    return (SANDBOX if caller.is_sandbox else ACTIONS)[name](caller, params)


def _note_unknown_key(request: HttpRequest) -> None:
    """Write to the security log, once a minute per address, because programs with a revoked key keep calling."""
    if cache.add(f"api.unknown_key.{ip_addresses.household(ip_addresses.client_address(request))}", 1, 60):
        security_log.warn("api_key_refused", request)


def _check(caller: Caller, name: str, address: str, *, by_get: bool) -> None:
    """Check the key's permissions and allowed addresses.

    Raises:
        PanelRefusal: The key may not make this call.
    """
    if not ip_addresses.allows(caller.addresses, address):
        raise PanelRefusal(responses.WRONG_ADDRESS)
    if name in WRITES:
        if not caller.has_order_scope:
            raise PanelRefusal(responses.READS_ONLY)
        if by_get and not caller.has_get_writes:
            raise PanelRefusal(responses.NO_GET_WRITES)
    elif not caller.has_read_scope:
        raise PanelRefusal(responses.ORDERS_ONLY)


def _sent(request: HttpRequest, answer: Answer) -> HttpResponse:
    if not isinstance(answer, ServicesDocument):
        return responses.reply(answer)
    # Only a GET may be answered with 304; in answer to a POST it would have another meaning.
    if request.method == "GET" and _has(answer, request.META.get("HTTP_IF_NONE_MATCH", "")):
        return responses.unchanged(answer)
    return responses.listed(answer, is_packed=bool(_UNPACKS.search(request.META.get("HTTP_ACCEPT_ENCODING", ""))))


def _has(book: ServicesDocument, known: str) -> bool:
    """Return whether ``known``, an If-None-Match, matches ``book``.

    The W/ prefix is ignored, because proxies change it.
    """
    names = [name.strip().removeprefix("W/") for name in known.split(",")]
    return "*" in names or book.etag.removeprefix("W/") in names


def _not_now(name: str, told: str, status: int, wait: int) -> HttpResponse:
    """Refuse a call for now.

    A write gets a text with HTTP 200: nothing was done, and clients may repeat an order after any other status.
    """
    return responses.error(told) if name in WRITES else responses.later(status, wait)


def _failed(name: str, failure: Exception) -> HttpResponse:
    """Return HTTP 500, with ``error`` only if it is certain that nothing was bought, otherwise with an empty object.

    Clients take an error that they can read as final: they never ask for that order's status again, or count the add as
    not placed. Placing an order is one transaction, so whatever breaks it rolls it back. But if the database itself
    fails, it may have been committing, and the outcome is unknown.
    """
    if name == "add" and not isinstance(failure, DatabaseFailure):
        return responses.error("Internal error, nothing was charged", status=500)
    return responses.reply({}, status=500)
