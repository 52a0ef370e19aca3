"""The OpenAPI 3.1 document of the REST API, made from the views that answer."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.conf import settings
from django.urls import include, path
from django.utils import translation
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer2, OpenApiYamlRenderer2
from drf_spectacular.settings import patched_settings

from storefront.api.rest.resources import resources
from storefront.api.rest.schema import PROBLEM

ABOUT = (
    "Resources as JSON for software that sells services of this shop. Amounts are strings with exact decimals, times "
    "are ISO 8601, and every field is always present. Errors are problem details (RFC 9457) with a stable `code`."
)
#: The groups of operations, in the order of the reference page.
TAGS = {
    "Services": "What can be bought, at your prices.",
    "Orders": "Quote, place and follow orders.",
    "Refills": "Have delivered again what dropped.",
    "Cancellations": "Stop open orders.",
    "Money": "Your balance, what changed it, and payments.",
    "Webhooks": "Be told when something changes.",
}
#: The schemas of what clients send.
REQUESTS = ("OrderRequest", "BulkOrderRequest", "OrderReference", "EndpointRequest", "PatchedEndpointChange")
_SETTINGS = {
    "OAS_VERSION": "3.1.1",
    "SORT_OPERATIONS": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": [],
}


def as_json() -> bytes:
    return _rendered(OpenApiJsonRenderer2, settings.SHOP_NAME, settings.SHOP_URL)


def as_yaml() -> bytes:
    return _rendered(OpenApiYamlRenderer2, settings.SHOP_NAME, settings.SHOP_URL)


def document() -> dict[str, Any]:
    """Build and return the document as data."""
    generator: Any = SchemaGenerator  # it has no types
    # The document is in English, whatever the language of the first request.
    with translation.override("en"), patched_settings(_SETTINGS):
        made: dict[str, Any] = generator(patterns=[path("api/v3/", include(resources))]).get_schema(
            request=None, public=True
        )
    made["info"] = {"title": f"{settings.SHOP_NAME} API", "version": "3", "description": ABOUT}
    made["servers"] = [{"url": settings.SHOP_URL}]
    made["tags"] = [{"name": name, "description": about} for name, about in TAGS.items()]
    components = made["components"]
    components["schemas"]["Problem"] = PROBLEM
    components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer", "description": "An API key."}}
    for name, schema in components["schemas"].items():
        if name in REQUESTS:
            # What a client sends may have no other field; what it gets may gain fields later.
            schema["additionalProperties"] = False
        elif name != "Problem":
            schema["required"] = list(schema["properties"])
        for one in schema["properties"].values():
            one.pop("x-spec-enum-id", None)
            one.pop("title", None)
    return made


@cache
def _rendered(renderer: type[Any], *depends_on: Any) -> bytes:
    text: bytes = renderer().render(document(), renderer_context={})
    return text
