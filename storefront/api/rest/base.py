"""What every view of the REST API shares: authentication, permissions, limits, JSON in and out, errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, cast

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.utils import translation
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from orders.rules import amounts
from storefront.accounts import ip_addresses
from storefront.api.bodies import prepare_body
from storefront.api.keys import Caller
from storefront.api.negotiation import IgnoreAccept
from storefront.api.parsers import JsonParser
from storefront.api.renderers import JsonRenderer
from storefront.api.rest import problems, sandbox_rows
from storefront.api.rest.authentication import BearerAuthentication, KeyPermission
from storefront.api.rest.filters import RowsFilter
from storefront.api.rest.pagination import CursorPages
from storefront.api.rest.problems import Code, Problem
from storefront.api.rest.rate_limits import RateLimit, count
from storefront.api.rest.sandbox_rows import SandboxRows
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
    filter_backends = (RowsFilter,)
    schema = RestSchema()
    http_method_names = ("get", "post", "patch", "delete", "head")
    #: Digits that fit in the column of an id; any other address is not found.
    lookup_value_regex = "[0-9]{1,18}"
    #: The scope that an action of the view needs, where it is not that of its method.
    scopes: Mapping[str, str] = {}
    #: The actions that sandbox keys may call, and what they list and read, if that is not the same for all keys.
    sandbox_actions: frozenset[str] = frozenset()
    sandbox: SandboxRows | None = None

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

    @property
    def reads_sandbox(self) -> bool:
        """Return whether the rows of this request are those of the sandbox. There is no request in a description."""
        caller: Any = getattr(getattr(self, "request", None), "auth", None)
        return self.sandbox is not None and isinstance(caller, Caller) and caller.is_sandbox

    def get_queryset(self) -> QuerySet[Any]:
        if self.sandbox is not None and self.reads_sandbox:
            return self.sandbox.of(self.caller.key_id)
        return self.own_rows()

    def own_rows(self) -> QuerySet[Any]:
        """Return the rows that the caller may read. Views without rows have none."""
        raise NotImplementedError  # not abstract: views without rows need none

    def get_serializer_class(self) -> Any:
        if self.sandbox is not None and self.reads_sandbox:
            return self.sandbox.serializer_class
        return super().get_serializer_class()

    def caller_balance(self) -> Decimal:
        """Return the balance in the store currency; for a sandbox key, its play money."""
        if self.caller.is_sandbox:
            return sandbox_rows.balance(self.caller)
        return amounts.from_units(self.caller.balance, amounts.AMOUNT_PLACES)

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "caller": self.request.auth}
