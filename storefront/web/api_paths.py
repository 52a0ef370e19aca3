"""The paths of the APIs, where every answer is JSON, even that of a server which cannot read the request."""

from __future__ import annotations

API_PREFIXES = ("/api/", "/adminapi/")
