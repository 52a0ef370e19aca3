"""The OpenAPI document of the panel API.

The requests are made from the same parameters as the reference page; tests compare real answers with the shapes.
"""

from __future__ import annotations

from functools import cache, partial
from typing import Any

from django.conf import settings
from django.urls import path
from django.utils import translation
from drf_spectacular.extensions import OpenApiViewExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer2, OpenApiYamlRenderer2
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiRequest,
    OpenApiResponse,
    extend_schema,
    extend_schema_view,
)
from rest_framework.views import APIView

from storefront.api.panel.views import PanelView
from storefront.api.reference import parameters, shapes
from storefront.api.reference.actions import Action, all_actions
from storefront.api.reference.parameters import Parameter, Schema

FORM, MULTIPART, JSON = "application/x-www-form-urlencoded", "multipart/form-data", "application/json"
#: Lists in a body are repeated fields of one name, as HTML forms send them.
_LISTS = {name: {"style": "form", "explode": True} for name in ("orders", "refills")}
SECURITY: dict[str, Schema] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "The key as a bearer token."},
    "header": {"type": "apiKey", "in": "header", "name": "X-Api-Key", "description": "The key in a header."},
    "query": {
        "type": "apiKey",
        "in": "query",
        "name": "key",
        "description": "The key in the query, and so in server logs.",
    },
}
ABOUT = (
    "One URL for every action. Send parameters as a form, as multipart, as a JSON object or in the query; parameters "
    "in the body take precedence over those in the query. Send the API key as the parameter `key`, as a bearer token "
    "or in the header `X-Api-Key`. If an action fails, the response has HTTP 200 and one field, `error`."
)
#: A response without a body.
_UNCHANGED = OpenApiResponse(None, "With `services`: the list that `If-None-Match` names has not changed.")
ONCE = "With `add`, instead of `request_id`: the same ID places only one order within 24 hours."


def as_json() -> bytes:
    return _rendered(OpenApiJsonRenderer2, *_settings())


def as_yaml() -> bytes:
    return _rendered(OpenApiYamlRenderer2, *_settings())


def document() -> Schema:
    """Build and return the document as data."""
    generator: Any = SchemaGenerator  # it has no types
    # The document is in English, whatever the language of the first request.
    with translation.override("en"):
        made = generator(patterns=[path("api/v2", PanelView.as_view())]).get_schema(request=None, public=True)
        made["info"] = {"title": f"{settings.SHOP_NAME} API", "version": "2", "description": ABOUT}
        made["components"] = {"schemas": shapes.components(), "securitySchemes": SECURITY}
        # Resolve lazy texts inside the override: they are translated when they are read.
        found: Schema = shapes.settled(made)
    return found


def _settings() -> tuple[str, str, bool]:
    """Return the settings that the document depends on."""
    return settings.SHOP_NAME, settings.STORE_CURRENCY, bool(settings.SCHEDULE_MAX_DAYS)


@cache
def _rendered(renderer: type[Any], *depends_on: Any) -> bytes:
    text: bytes = renderer().render(document(), renderer_context={})
    return text


class PanelViewDescription(OpenApiViewExtension):  # type: ignore[no-untyped-call]
    """What drf-spectacular cannot read from ``PanelView`` itself: the parameters and answers of each action."""

    target_class = "storefront.api.panel.views.PanelView"

    def view_replacement(self) -> type[APIView]:
        request = partial(OpenApiRequest, request=shapes.ref("Call"), examples=_examples())
        common: Schema = {"auth": [*({name: []} for name in SECURITY), {}], "tags": ["v2"]}
        post = extend_schema(
            operation_id="call",
            summary="Call an action",
            description=ABOUT,
            request={FORM: request(encoding=_LISTS), MULTIPART: request(encoding=_LISTS), JSON: request()},
            parameters=[_idempotency_key()],
            responses=_responses(),
            **common,
        )
        get = extend_schema(
            operation_id="callByQuery",
            summary="Call an action by GET",
            description="The same with every parameter in the query. The key then appears in server logs.",
            parameters=[*_query(), _idempotency_key()],
            responses={**_responses(), 304: _UNCHANGED},
            **common,
        )
        described: type[APIView] = extend_schema_view(post=post, get=get)(type("PanelView", (self.target,), {}))
        return described


def _examples() -> list[OpenApiExample]:
    return [
        OpenApiExample(f"{action.name}-{code}" if code else action.name, value=value, summary=summary)
        for action in all_actions()
        for code, summary, value in _calls(action)
    ]


def _calls(action: Action) -> list[tuple[str, str, Schema]]:
    if action.costs_money:
        return [
            (
                service_type.code,
                service_type.wire,
                {"action": "add", **{one.name: one.example for one in of_type if one.is_required}},
            )
            for service_type, of_type in shapes.types_with_parameters()
        ]
    ways = action.parameters or (None,)
    return [
        (way.name if way and len(ways) > 1 else "", str(action.title), {"action": action.name, **_example(way)})
        for way in ways
    ]


def _example(way: Parameter | None) -> Schema:
    return {way.name: way.example} if way else {}


def _responses() -> dict[int, OpenApiResponse]:
    examples = [
        OpenApiExample(f"{action.name}-{number}", value=answer.data, summary=f"{action.name}: {answer.title}")
        for action in all_actions()
        for number, answer in enumerate(action.answers, 1)
    ]
    error = shapes.ref("Error")
    empty = shapes.ref("Nothing")
    return {
        200: OpenApiResponse(shapes.ref("Answer"), "The result, or an error that says why nothing was done.", examples),
        400: OpenApiResponse(error, "The request cannot be read."),
        404: OpenApiResponse(error, "The URL is not part of the API."),
        405: OpenApiResponse(error, "The method is neither GET nor POST."),
        411: OpenApiResponse(error, "The body has no Content-Length."),
        413: OpenApiResponse(error, "The body is too large."),
        429: OpenApiResponse(empty, "Too many requests that only read. Wait for the seconds in `Retry-After`."),
        500: OpenApiResponse({"anyOf": [empty, error]}, "A server error. Repeat an order with the same `request_id`."),
    }


def _query() -> list[OpenApiParameter]:
    every = {one.name: one for action in all_actions() for one in action.parameters}
    every |= {one.name: one for one in parameters.inputs()}
    names = [action.name for action in all_actions()]
    action = OpenApiParameter("action", {"type": "string", "enum": names}, required=True, description="The action.")
    return [action, *map(_in_query, every.values())]


def _in_query(one: Parameter) -> OpenApiParameter:
    is_list = "oneOf" in one.schema
    return OpenApiParameter(one.name, one.schema, description=str(one.meaning), explode=is_list or None)


def _idempotency_key() -> OpenApiParameter:
    schema = parameters.REQUEST_ID.schema
    return OpenApiParameter("Idempotency-Key", schema, OpenApiParameter.HEADER, description=ONCE)
