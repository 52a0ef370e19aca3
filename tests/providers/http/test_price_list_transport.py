"""A price list arrives whatever compression and charset a panel's server uses."""

from __future__ import annotations

import gzip
import json
import zlib

import pytest

from providers.pricelists import onboarding
from providers.transport import conversation
from tests.providers.raw_server import RawServer, answer, says

pytestmark = pytest.mark.django_db
ROW = {"service": 1, "name": "Подписчики", "type": "Default", "category": "C", "rate": "1", "min": "10", "max": "1000"}
TEXT = json.dumps([ROW], ensure_ascii=False)
BODY = TEXT.encode()
EARLY = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"


@pytest.mark.parametrize(
    "raw",
    [
        answer(BODY, "Content-Encoding: UTF-8"),
        answer(BODY, "Content-Encoding: none"),
        answer(BODY, "Content-Encoding: gzip"),
        answer(gzip.compress(BODY)),
        answer(gzip.compress(BODY), "Content-Encoding: gzip, identity"),
        answer(gzip.compress(BODY) + b"\r\n<!-- served in 0.1 s -->", "Content-Encoding: gzip"),
        answer(zlib.compress(BODY), "Content-Encoding: deflate"),
        EARLY + EARLY + answer(BODY),
        answer(b"\xef\xbb\xbf" + BODY),
        answer(TEXT.encode("utf-16")),
        answer(TEXT.encode("cp1251")),
        answer(TEXT.encode("cp1251"), kind="text/html; charset=utf-8"),
    ],
)
def test_a_price_list_is_read_in_every_compression_and_charset(raw: bytes) -> None:
    with RawServer(says(raw)) as server:
        provider = onboarding.save_provider("north", url=server.url, key="k", dialect_name="v2", currency="USD")
        (row,) = conversation.services(provider)
    assert (row.upstream_id, row.name, row.problem) == ("1", "Подписчики", "")
