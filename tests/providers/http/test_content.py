"""Decoding of answers: decompressed and turned into text within limits, whatever the headers claim."""

from __future__ import annotations

import gzip
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers import note_texts
from providers.errors import OutcomeUnknown
from providers.http.content import decode, unpack
from tests.providers.raw_server import gzip_bomb

LIMIT = 10_000
PLAIN = b'[{"service": 1, "name": "Followers"}]'
ZIPPED = gzip.compress(PLAIN, mtime=0)


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    "coding",
    ["", "identity", "none", "UTF-8", "utf8", "8bit", "binary", "text/plain", "gzip", "br", "deflate", ",", "é"],
)
def test_a_body_that_is_not_compressed_is_read_whatever_coding_is_declared(coding: str) -> None:
    assert unpack(PLAIN, coding, LIMIT) == PLAIN


@pytest.mark.parametrize(
    "coding", ["", "gzip", "x-gzip", "gzip, identity", "identity,gzip", "GZIP", "UTF-8", "deflate", "br"]
)
def test_gzip_is_known_by_its_first_bytes(coding: str) -> None:
    assert unpack(ZIPPED, coding, LIMIT) == PLAIN


@pytest.mark.parametrize("rest", [b"\r\n", b"\x00" * 8, b"<!-- cached -->", b"\x1f\x8b", b"\x1f\x8b\x07"])
def test_what_follows_a_complete_gzip_stream_is_no_part_of_the_answer(rest: bytes) -> None:
    assert unpack(ZIPPED + rest, "gzip", LIMIT) == PLAIN


def test_streams_one_after_the_other_and_inside_each_other_are_one_body() -> None:
    half = len(PLAIN) // 2
    assert unpack(gzip.compress(PLAIN[:half], mtime=0) + gzip.compress(PLAIN[half:]), "gzip", LIMIT) == PLAIN
    assert unpack(gzip.compress(ZIPPED, mtime=0), "gzip, gzip", LIMIT) == PLAIN


@pytest.mark.parametrize("coding", ["deflate", "Deflate, identity"])
@pytest.mark.parametrize("body", [zlib.compress(PLAIN, level) for level in (1, 5, 6, 9)] + [raw_deflate(PLAIN)])
def test_deflate_is_read_with_and_without_its_header(body: bytes, coding: str) -> None:
    assert unpack(body, coding, LIMIT) == PLAIN


def test_zlib_is_known_by_its_first_bytes() -> None:
    assert unpack(zlib.compress(PLAIN), "", LIMIT) == PLAIN


@pytest.mark.parametrize(
    ("body", "coding", "words"),
    [
        (ZIPPED[:-9], "gzip", "The answer is damaged: its gzip compression is broken."),
        (ZIPPED[:-4], "", "The answer is damaged: its gzip compression is broken."),
        (b"\x1f\x8b" + PLAIN, "gzip", "The answer is damaged: its gzip compression is broken."),
        (ZIPPED[:20] + b"\x00" + ZIPPED[21:], "gzip", "The answer is damaged: its gzip compression is broken."),
        (raw_deflate(PLAIN)[:-3], "deflate", "The answer is damaged: its deflate compression is broken."),
        (b"\x0b\x02\x80\x00\x01\x02\x03", "br", "The answer is compressed in a way that was not requested: br."),
        (
            b"\x28\xb5\x2f\xfd\x04\x00\x01\x00",
            "zstd",
            "The answer is compressed in a way that was not requested: zstd.",
        ),
        (gzip.compress(b"", mtime=0) * 1000, "gzip", "The answer is damaged: its gzip compression is broken."),
    ],
)
def test_a_body_that_cannot_be_decompressed_leaves_the_outcome_unknown(body: bytes, coding: str, words: str) -> None:
    with pytest.raises(OutcomeUnknown) as problem:
        unpack(body, coding, LIMIT)
    assert note_texts.describe(problem.value.message) == words


@pytest.mark.parametrize("coding", ["", "gzip", "deflate"])
@pytest.mark.parametrize(
    "bomb",
    [
        gzip_bomb(5),
        zlib.compress(bytes(5_000_000)),
        gzip.compress(gzip_bomb(5), mtime=0),
        gzip.compress(bytes(6_000)) + gzip.compress(bytes(6_000)),
    ],
    ids=["gzip", "zlib", "gzip in gzip", "two streams"],
)
def test_no_content_coding_exceeds_the_size_limit(bomb: bytes, coding: str) -> None:
    with pytest.raises(OutcomeUnknown) as problem:
        unpack(bomb, coding, LIMIT)
    assert note_texts.describe(problem.value.message) == "The answer is larger than 9 kB."


@given(st.binary(max_size=200), st.sampled_from(["", "gzip", "deflate", "br", "UTF-8", "gzip, identity"]))
def test_any_body_is_unpacked_or_unknown(body: bytes, coding: str) -> None:
    for candidate in (body, ZIPPED + body, b"\x1f\x8b\x08" + body, zlib.compress(body)):
        try:
            assert len(unpack(candidate, coding, LIMIT)) <= LIMIT
        except OutcomeUnknown:
            pass


RUSSIAN = '[{"name": "Подписчики VK", "category": "ВКонтакте"}]'
TURKISH = '[{"name": "Kalıcı Beğeni – Işıklı Görsel", "category": "aldığı"}]'
FRENCH = '[{"name": "Abonnés français, très réels"}]'


@pytest.mark.parametrize(
    "kind", ["application/json", "text/html", "application/json; charset=utf-8", "", "x; charset=latin1"]
)
@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (RUSSIAN, "utf-8"),
        (RUSSIAN, "utf-8-sig"),
        (RUSSIAN, "utf-16"),
        (RUSSIAN, "utf-16-le"),
        (RUSSIAN, "utf-16-be"),
        (RUSSIAN, "utf-32"),
        (RUSSIAN, "cp1251"),
        ('[{"name": "лайки\\nи ещё"}]', "cp1251"),
        (TURKISH.replace("–", "-"), "iso-8859-9"),
        (TURKISH, "cp1254"),
        ('[{"name": "ılık"}]', "iso-8859-9"),
        (FRENCH, "latin-1"),
        ("Likes 👍", "utf-8"),
    ],
)
def test_charsets_are_detected_without_a_declaration_and_despite_a_wrong_one(
    text: str, encoding: str, kind: str
) -> None:
    assert decode(text.encode(encoding), kind) == text


@pytest.mark.parametrize(
    ("text", "charset"),
    [("Лайки", "koi8-r"), ("点赞", "gbk"), ("Λάικ", '"iso-8859-7"'), ("Лайки", "windows-1251; q=1")],
)
def test_a_declared_character_set_is_believed_where_it_fits(text: str, charset: str) -> None:
    codec = charset.strip('"').partition(";")[0]
    assert decode(text.encode(codec), f"application/json; charset={charset}") == text


def test_a_truncated_character_does_not_affect_the_rest() -> None:
    body = json.dumps([{"name": "Лайки 👍"}, {"name": "Подписчики"}], ensure_ascii=False).encode()
    broken = body.replace("👍".encode(), "👍".encode()[:3])
    assert json.loads(decode(broken, "")) == [{"name": "Лайки \ufffd"}, {"name": "Подписчики"}]


@given(st.binary(max_size=300), st.text(max_size=40))
def test_any_bytes_become_text_that_a_database_takes(body: bytes, kind: str) -> None:
    text = decode(body, f"text/html; charset={kind}")
    assert "\x00" not in text
    text.encode()
