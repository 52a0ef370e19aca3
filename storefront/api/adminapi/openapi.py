"""The OpenAPI document of the Admin API, read from the views that answer."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer2

from storefront.api.error_handlers import reads_only

ABOUT = (
    "For programs of the operator. Every answer is JSON in an envelope: error_code is 0 if all went well, otherwise "
    "error_message says what to change."
)


@reads_only
def document(request: HttpRequest) -> HttpResponse:
    return HttpResponse(_rendered(settings.SHOP_NAME), content_type="application/json")


@cache
def _rendered(shop_name: str) -> bytes:
    from storefront.api.adminapi import urls  # imported here: the URLs name the view of this module

    generator: Any = SchemaGenerator  # it has no types
    # The document is in English, whatever the language of the first request.
    with translation.override("en"):
        made = generator(patterns=urls.ENDPOINTS).get_schema(request=None, public=True)
        made["info"] = {"title": f"{shop_name} Admin API", "version": "2", "description": ABOUT}
        key = {"type": "apiKey", "in": "header", "name": "X-Api-Key", "description": "A staff key."}
        made.setdefault("components", {})["securitySchemes"] = {"staffKey": key}
        text: bytes = OpenApiJsonRenderer2().render(made, renderer_context={})
    return text
