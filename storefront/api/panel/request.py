"""The request of a call, with its parameters."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.http import HttpRequest
from rest_framework.request import Request

from storefront.api import keys
from storefront.api.keys import Caller
from storefront.api.panel import parameters
from storefront.api.panel.parameters import KEY_NAMES, Params, text


class PanelRequest(Request):
    """A request of the panel API. ``action``, in lower case, and ``key`` are "" until ``read_parameters``."""

    params: Params
    action: str
    key: str

    def read_parameters(self) -> None:
        """Read all parameters. Those of the body take precedence over those of the query, and both over the headers.

        ``key`` and ``request_id`` are always present, "" if they were not sent.

        Raises:
            PanelRefusal: The request is malformed.
        """
        # A WSGI server passes the bytes of the query as Latin-1.
        query = self.META.get("QUERY_STRING", "").encode("latin-1", "replace")
        params: Params = {**(parameters.from_form(query) if query else {}), **self.data}
        self.key = params["key"] = text(params, *KEY_NAMES) or keys.key_in_headers(self._request)
        params["request_id"] = text(params, "request_id") or _request_id_in_headers(self._request)
        self.params = params
        self.action = text(params, "action").lower()
        # A published example asks for the status of refills without an action. Nothing is guessed that writes.
        if not self.action and text(params, "refill", "refills"):
            self.action = "refill_status"

    @cached_property
    def data(self) -> Params:
        """Return the parameters in the body, as the parser of the content type reads them.

        The parsers return no files and no ``QueryDict``, so nothing has to be copied to Django's request.
        """
        stream = self.stream
        if stream is None:
            return {}
        negotiator: Any = self.negotiator
        parser = negotiator.select_parser(self, self.parsers)
        params: Params = parser.parse(stream, self.content_type, self.parser_context)
        return params

    @property
    def caller(self) -> Caller:
        """Return who calls; the first use authenticates."""
        caller: Any = self.auth
        assert isinstance(caller, Caller)
        return caller


def _request_id_in_headers(http: HttpRequest) -> str:
    """Return the Idempotency-Key. A WSGI server passes headers as Latin-1, and clients send UTF-8."""
    value = str(http.META.get("HTTP_IDEMPOTENCY_KEY", "")).strip()
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value
