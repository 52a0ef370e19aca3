"""Build a panel's answer for a parser."""

from __future__ import annotations

import json
from typing import Any

from providers.http.messages import Answer


def answer(body: Any, status: int = 200) -> Answer:
    """Return an answer with ``body``: a text as it is, anything else as JSON."""
    return Answer(status=status, text=body if isinstance(body, str) else json.dumps(body))
