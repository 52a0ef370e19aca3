"""How the views of the REST API are described in its OpenAPI document."""

from __future__ import annotations

from typing import Any

from drf_spectacular.openapi import AutoSchema

from storefront.api.rest.problems import CONTENT_TYPE, Code

_RATE_LIMIT_HEADERS = {
    "RateLimit-Policy": {"description": "The quota of the key per window.", "schema": {"type": "string"}},
    "RateLimit": {"description": "What is left of the quota, and seconds to its reset.", "schema": {"type": "string"}},
}
_KEY_ABOUT = (
    "A random text that you choose for this request. If you send the request again with it within 24 hours, you get "
    "the first answer again and nothing happens twice."
)
#: Every answer of these statuses can be given by any operation.
_ALWAYS = (401, 403, 429, 500, 503)
PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "Problem details (RFC 9457).",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "enum": [code.word for code in Code], "description": "Compare this."},
        "errors": {
            "type": "array",
            "description": "With invalid_fields: what is wrong with each field.",
            "items": {
                "type": "object",
                "required": ["field", "code", "message"],
                "properties": {
                    "field": {"type": "string", "description": 'A path, such as "link" or "events.0".'},
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                },
            },
        },
        "charge": {"type": "string", "format": "decimal", "description": "With price_changed: the present charge."},
        "available_at": {
            "type": "string",
            "format": "date-time",
            "description": "With some codes: the deciding time.",
        },
    },
}


class RestSchema(AutoSchema):
    """Add to every operation the errors that it can answer, the rate limit fields, and the idempotency key."""

    view: Any

    def get_auth(self) -> list[Any]:
        return [{"bearer": []}]

    def get_tags(self) -> list[str]:
        return [self.view.tag]

    def get_operation_id(self) -> str:
        return f"{self.view.basename.removeprefix('v3-').replace('-', '_')}_{self.view.action}"

    def get_summary(self) -> str | None:
        return self._texts()[0]

    def get_description(self) -> str:  # type: ignore[override]  # as drf-spectacular has it
        return self._texts()[1]

    def _texts(self) -> tuple[str, str]:
        """Return the first sentence of the action's docstring, or of the view's for lists, and the rest."""
        action = getattr(self.view, self.view.action)
        text = (action.__doc__ or "") if action.__module__.startswith("storefront") else ""
        name = self.view.basename.removeprefix("v3-").replace("-", " ")
        if not text:
            article = "an" if name[0] in "aeiou" else "a"
            text = {"list": f"List {name}.", "retrieve": f"Read {article} {name.removesuffix('s')}."}[self.view.action]
        first, _, rest = " ".join(text.split()).partition(". ")
        return first.removesuffix("."), rest

    def get_operation(self, *args: Any, **kwargs: Any) -> Any:
        operation = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        for answer in operation["responses"].values():
            answer.setdefault("headers", {}).update(_RATE_LIMIT_HEADERS)
        for status in sorted({*_ALWAYS, *self._refusals(operation)}):
            titles = [f"`{code.word}`" for code in Code if code.status == status]
            operation["responses"].setdefault(
                str(status),
                {
                    "description": ", ".join(titles),
                    "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
                },
            )
        return operation

    def _refusals(self, operation: Any) -> set[int]:
        found = set()
        if self.path.count("{"):
            found |= {404}
        if any(one["in"] == "query" for one in operation.get("parameters", ())):
            found |= {400, 422}
        if self.method != "GET":
            found |= {400, 404, 409, 411, 413, 415, 422}
        if self.method == "POST":
            found |= {402}
        return found

    def _get_parameters(self) -> list[Any]:
        parameters: list[Any] = super()._get_parameters()
        handler = getattr(self.view, self.view.action)
        if hasattr(handler, "is_key_required"):
            parameters.append(
                {
                    "in": "header",
                    "name": "Idempotency-Key",
                    "required": handler.is_key_required,
                    "description": _KEY_ABOUT,
                    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
                }
            )
        return parameters
