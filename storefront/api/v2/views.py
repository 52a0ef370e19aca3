"""One address, every action: reads the request, finds the customer, calls the action, words what went wrong."""

from __future__ import annotations

import logging
from typing import Any

from django.db import Error as DatabaseFailure
from django.http import HttpResponse
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.views import APIView

from storefront.api.v2 import answers, keys
from storefront.api.v2.actions import ACTIONS
from storefront.api.v2.answers import INCORRECT_REQUEST, Refused
from storefront.api.v2.request import read, text

log = logging.getLogger(__name__)


class AlwaysJson(BaseContentNegotiation):
    """Clients send any Accept header, or none, and expect JSON."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class PanelView(APIView):
    """The panel API. No cookie, no session and no CSRF token: the key says who calls."""

    # No HEAD: with the parameters of an add it would buy.
    http_method_names = ["get", "post"]
    content_negotiation_class = AlwaysJson

    def post(self, request: Request) -> HttpResponse:
        name = ""
        try:
            # Django's own request: DRF's parsers go by the content type, which clients get wrong.
            params = read(request._request)
            name = text(params, "action").lower()
            if name not in ACTIONS:
                raise Refused(INCORRECT_REQUEST)
            user = keys.identify(text(params, "key"))
            return answers.reply(ACTIONS[name](user, params))
        except Refused as refusal:
            return answers.error(refusal.text, status=refusal.status)
        except Exception as failure:
            log.exception("The panel API failed.")
            return _failed(name, failure)

    get = post

    def http_method_not_allowed(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        return answers.error("Use GET or POST", status=405)


def _failed(name: str, failure: Exception) -> HttpResponse:
    """HTTP 500 with ``error`` only where it is certain that nothing was bought, else with an empty object.

    Clients take an error they can read as final: an order's status is never asked again, an add counts as not placed.
    Placing an order is one transaction, so whatever breaks it undoes it; but when the database itself fails, it may
    have been while committing, and nobody can say.
    """
    if name == "add" and not isinstance(failure, DatabaseFailure):
        return answers.error("Internal error, nothing was charged", status=500)
    return answers.reply({}, status=500)
