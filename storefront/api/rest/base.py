"""What every view of the REST API shares: authentication, permissions, limits, JSON in and out, errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils import translation
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from storefront.accounts import ip_addresses
from storefront.api.bodies import prepare_body
from storefront.api.keys import Caller
from storefront.api.negotiation import IgnoreAccept
from storefront.api.parsers import JsonParser
from storefront.api.renderers import JsonRenderer
from storefront.api.rest import problems
from storefront.api.rest.authentication import BearerAuthentication, KeyPermission
from storefront.api.rest.pagination import CursorPages
from storefront.api.rest.problems import Code, Problem
from storefront.api.rest.rate_limits import RateLimit, count
from storefront.api.rest.schema import RestSchema
from storefront.web import maintenance


class JsonOnly(IgnoreAccept):
    """Refuse a body of another content type than JSON."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        media_type = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == media_type), None)


class RestViewSet(GenericViewSet[Any]):
    """The base class of all views of the REST API."""

    authentication_classes = (BearerAuthentication,)
    permission_classes = (KeyPermission,)
    parser_classes = (JsonParser,)
    renderer_classes = (JsonRenderer,)
    content_negotiation_class = JsonOnly
    pagination_class = CursorPages
    filter_backends = (DjangoFilterBackend,)
    schema = RestSchema()
    http_method_names = ("get", "post", "patch", "delete", "head")
    #: Digits that fit in the column of an id; any other address is not found.
    lookup_value_regex = "[0-9]{1,18}"
    #: The scope that an action of the view needs, where it is not that of its method.
    scopes: Mapping[str, str] = {}

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.rate_limit: RateLimit | None = None
        # The framework translates its messages; programs and their logs get one language.
        with translation.override("en"):
            return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check everything that does not depend on the action: the shop is open, limits, key, scope."""
        if maintenance.message() is not None:
            raise Problem(Code.MAINTENANCE, headers={"Retry-After": str(maintenance.RETRY_AFTER)})
        address = ip_addresses.rate_limit_address(ip_addresses.client_address(request._request))
        # Before the key is looked up, so that guessing keys is limited as well.
        count(f"address.{address}", settings.API_ADDRESS_CALLS_PER_MINUTE)
        prepare_body(request._request)
        super().initial(request, *args, **kwargs)

    def check_throttles(self, request: Request) -> None:
        caller = self.caller
        quota = settings.API_CALLS_PER_MINUTE if caller.calls_per_minute is None else caller.calls_per_minute
        self.rate_limit = count(f"key.{caller.key_id}", quota)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Response:
        answer: Response = super().finalize_response(request, response, *args, **kwargs)
        answer["Cache-Control"] = "no-store"
        answer["Content-Language"] = "en"
        if self.rate_limit:
            for name, value in self.rate_limit.headers.items():
                answer[name] = value
        return answer

    def get_exception_handler(self) -> Callable[..., Response]:
        return problems.handle

    @property
    def caller(self) -> Caller:
        caller: Any = self.request.auth
        return cast("Caller", caller)

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "caller": self.request.auth}
