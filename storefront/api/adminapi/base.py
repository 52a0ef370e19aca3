"""The base class of the views of the Admin API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.http import QueryDict
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from storefront.api.adminapi import envelope, shapes
from storefront.api.adminapi.authentication import HasScope, StaffKeyAuthentication, StaffKeyThrottle
from storefront.api.adminapi.models import Group, StaffKey
from storefront.api.adminapi.openapi_schema import AdminApiSchema
from storefront.api.adminapi.parsing import LenientParser
from storefront.api.bodies import prepare_body
from storefront.api.negotiation import IgnoreAccept
from storefront.api.renderers import JsonRenderer
from storefront.api.throttling import AddressThrottle


class AdminApiView(APIView):
    """A view whose answers, including errors, are JSON in the envelope.

    GET reads, POST changes. ``group`` is the scope that the key needs.
    """

    group: ClassVar[Group]
    #: The parameters in the query and in the body; the description of the API names the same.
    query_class: ClassVar[type[serializers.Serializer[Any]]] = serializers.Serializer
    body_class: ClassVar[type[serializers.Serializer[Any]]] = serializers.Serializer
    #: The shape of ``data`` in a good answer, in the description of the API.
    data_shape: ClassVar[shapes.Shape] = shapes.NOTHING
    #: Whether the answer is a page of a list.
    is_page: ClassVar[bool] = False
    schema = AdminApiSchema()
    http_method_names = ["get", "post"]
    authentication_classes = [StaffKeyAuthentication]
    permission_classes = [HasScope]
    throttle_classes = [StaffKeyThrottle]
    parser_classes = [MultiPartParser, LenientParser]
    renderer_classes = [JsonRenderer]
    content_negotiation_class = IgnoreAccept

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check the call. Unlike in DRF, refused calls count: the rate limit comes before the permission."""
        self.format_kwarg = None  # DRF's name of a suffix such as ".json", which these addresses do not have
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request)
        prepare_body(request._request)
        by_address = AddressThrottle()
        if not by_address.allow_request(request, self):
            self.throttled(request, by_address.wait())
        self.perform_authentication(request)
        self.check_throttles(request)
        if request.method in self.allowed_methods:
            self.check_permissions(request)

    def get_exception_handler(self) -> Callable[..., Response]:
        return envelope.exception_response

    @property
    def key(self) -> StaffKey:
        key: Any = self.request.auth
        assert isinstance(key, StaffKey)
        return key

    def read_query(self) -> dict[str, Any]:
        """Return the parameters of the query; one without a value counts as missing."""
        given = self.request.query_params.dict()
        return read(self.query_class, {name: value for name, value in given.items() if value.strip()})

    def read_body(self) -> dict[str, Any]:
        return read(self.body_class, body_of(self.request))


def body_of(request: Request) -> dict[str, Any]:
    """Return the parameters in the body; of a field that is repeated in a form, the last value counts."""
    body: Any = request.data
    return body.dict() if isinstance(body, QueryDict) else dict(body)


def read(serializer: type[serializers.Serializer[Any]], given: Any) -> dict[str, Any]:
    reading = serializer(data=given)
    reading.is_valid(raise_exception=True)
    values: dict[str, Any] = reading.validated_data
    return values
