"""A WSGI application for tests of the web server: it reports what it received and answers as slowly as requested."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    query = environ["QUERY_STRING"]
    if query.startswith("sleep="):
        time.sleep(float(query[6:]))
    answer = b"x" * int(query[6:]) if query.startswith("bytes=") else b"received %d" % len(body)
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(answer)))])
    return [answer]
