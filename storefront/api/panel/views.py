"""The view of the panel API: one address, and the action among the parameters."""

from __future__ import annotations

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from storefront.accounts import plain_http
from storefront.api import cors
from storefront.api.bodies import prepare_body
from storefront.api.negotiation import IgnoreAccept
from storefront.api.panel import permissions, responses
from storefront.api.panel.actions import ACTIONS, WRITES
from storefront.api.panel.authentication import KeyAuthentication
from storefront.api.panel.error_answers import Closed, KeyExposed, answer_error
from storefront.api.panel.parsers import FormOrJsonParser, MultipartParser
from storefront.api.panel.renderers import PanelRenderer
from storefront.api.panel.request import PanelRequest
from storefront.api.panel.responses import ServicesDocument
from storefront.api.sandbox.actions import ACTIONS as SANDBOX
from storefront.api.throttling import AddressThrottle, KeyThrottle
from storefront.web import maintenance

#: An Accept-Encoding that allows gzip; "gzip;q=0" forbids it.
_ACCEPTS_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|\Z))", re.IGNORECASE)


class PanelView(APIView):
    """Answer a call of the panel API, of the shop or of the sandbox, whichever the key is for."""

    # HEAD is refused: with the parameters of an add it would place an order.
    http_method_names = ["get", "post", "options"]
    authentication_classes = [KeyAuthentication]
    throttle_classes = [AddressThrottle, KeyThrottle]
    permission_classes = [
        permissions.FromAllowedAddress, permissions.HasOrderScope, permissions.WritesByPost, permissions.HasReadScope,
    ]  # fmt: skip
    parser_classes = [MultipartParser, FormOrJsonParser]
    renderer_classes = [PanelRenderer]
    content_negotiation_class = IgnoreAccept
    versioning_class = None
    request: PanelRequest

    def get(self, request: PanelRequest) -> HttpResponse:
        return self.answer(request)

    def post(self, request: PanelRequest) -> HttpResponse:
        return self.answer(request)

    def answer(self, request: PanelRequest) -> HttpResponse:
        actions = SANDBOX if request.caller.is_sandbox else ACTIONS
        data = actions[request.action](request.caller, request.params)
        return _services(request, data) if isinstance(data, ServicesDocument) else responses.reply(data)

    def options(self, request: PanelRequest, *args: Any, **kwargs: Any) -> Response:  # type: ignore[override]
        """Answer a browser that asks before a call. ``initial`` refuses all other requests with this method."""
        return Response(status=HTTPStatus.NO_CONTENT, headers=dict(cors.PREFLIGHT))

    # -------------------------------------------------------------------------------------------- framework hooks
    @property
    def allowed_methods(self) -> list[str]:
        return ["GET", "POST"]

    @property
    def default_response_headers(self) -> dict[str, str]:
        return {}

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> PanelRequest:
        panel_request = PanelRequest(
            request,
            parsers=self.get_parsers(),
            authenticators=self.get_authenticators(),
            negotiator=self.get_content_negotiator(),
            parser_context=self.get_parser_context(request),
        )
        panel_request.params, panel_request.action, panel_request.key = {}, "", ""
        return panel_request

    def initial(self, request: PanelRequest, *args: Any, **kwargs: Any) -> None:  # type: ignore[override]
        """Check the call, throttles first: guesses of keys are counted by address before any key is looked up."""
        self.format_kwarg = None
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request)
        if cors.is_preflight(request._request):
            return
        if request.method not in self.allowed_methods:
            self.http_method_not_allowed(request)
        prepare_body(request._request)
        request.read_parameters()
        if request.key and plain_http.is_exposed(request._request):
            raise KeyExposed
        if maintenance.message() is not None:
            raise Closed(maintenance.RETRY_AFTER)
        self.check_throttles(request)
        self.perform_authentication(request)
        self.check_permissions(request)

    def check_throttles(self, request: Request) -> None:
        """Stop at the first limit, because the next one would look up the key."""
        for throttle in self.get_throttles():
            if not throttle.allow_request(request, self):
                self.throttled(request, throttle.wait() or 0)

    def finalize_response(  # type: ignore[override]
        self, request: PanelRequest, response: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        final: HttpResponse = super().finalize_response(request, response, *args, **kwargs)
        if request.action not in WRITES:
            cors.allow_reading(request._request, final)
        return final

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response]:
        return answer_error


def _services(request: PanelRequest, document: ServicesDocument) -> HttpResponse:
    # Only a GET may be answered with 304; in answer to a POST it would have another meaning.
    if request.method == "GET" and _matches(document, request.META.get("HTTP_IF_NONE_MATCH", "")):
        return responses.unchanged(document)
    accepts_gzip = bool(_ACCEPTS_GZIP.search(request.META.get("HTTP_ACCEPT_ENCODING", "")))
    return responses.services(document, is_gzip=accepts_gzip)


def _matches(document: ServicesDocument, if_none_match: str) -> bool:
    """Return whether the client has ``document``. The W/ prefix is ignored, because proxies change it."""
    etags = [etag.strip().removeprefix("W/") for etag in if_none_match.split(",")]
    return "*" in etags or document.etag.removeprefix("W/") in etags
