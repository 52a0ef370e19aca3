"""Rendering of the panel API's answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from storefront.api.renderers import JsonRenderer


class PanelRenderer(JsonRenderer):
    """Render JSON in plain ASCII: some clients read the bytes in another encoding than UTF-8."""

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        text = super().render(data, accepted_media_type, renderer_context)
        return text if text.isascii() else json.dumps(data, separators=(",", ":")).encode()
