"""How the views of the Admin API are described in its OpenAPI document."""

from __future__ import annotations

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiResponse

from storefront.api.adminapi import shapes

#: The error responses that every endpoint can return.
ERRORS = {
    400: "A parameter is missing or cannot be read.",
    401: "The key is missing, unknown or revoked.",
    403: "The key does not have the scope, or its address is not allowed.",
    404: "There is no such row or address.",
    409: "This cannot be done now.",
    411: "The body needs a Content-Length.",
    413: "The body is too large.",
    429: "Too many requests: wait as long as Retry-After says.",
    500: "Our fault.",
}


class AdminApiSchema(AutoSchema):
    """Describe an endpoint by the classes that read its parameters and the shape of its data."""

    view: Any

    def get_auth(self) -> list[Any]:
        return [{"staffKey": []}]

    def get_tags(self) -> list[str]:
        return [self.view.group.value]

    def get_operation_id(self) -> str:
        """Return the name of the view without "View", such as "CancelOrders"."""
        return type(self.view).__name__.removesuffix("View")

    def get_description(self) -> str:  # type: ignore[override]  # the stubs name DRF's own generator
        return type(self.view).__doc__ or ""

    def map_parsers(self) -> list[str]:
        """Return the format to use. Forms work too, for programs that send them."""
        return ["application/json"]

    def get_override_parameters(self) -> list[Any]:
        has_query = self.method == "GET" and self.view.query_class().fields
        return [self.view.query_class] if has_query else []

    def get_request_serializer(self) -> Any:
        return self.view.body_class if self.method == "POST" else None

    def get_response_serializers(self) -> Any:
        good = shapes.enveloped(self.view.data_shape, is_page=self.view.is_page)
        errors = {status: OpenApiResponse(shapes.ERROR, text) for status, text in ERRORS.items()}
        return {200: OpenApiResponse(good), **errors}
