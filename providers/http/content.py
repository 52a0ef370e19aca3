"""Turn the bytes of an HTTP answer into text: remove the content coding, then find the character set. Pure.

Panels often declare both wrongly: "Content-Encoding: UTF-8", gzip without a header, a header without gzip, windows-1251
without a charset. So the bytes count more than the headers. Size limits apply at every step.
"""

from __future__ import annotations

import codecs
import json
import re
import zlib

from providers import notes
from providers.errors import OutcomeUnknown
from providers.notes import Note

#: The maximum number of compression layers, more than any chain of proxies produces.
MAX_LAYERS = 3
#: The maximum number of gzip streams in one body; decompressing each copies the rest of the body.
MAX_STREAMS = 64
_GZIP_MAGIC = b"\x1f\x8b\x08"
#: The content codings that exist. Other values that servers send ("none", "UTF-8", "8bit") are ignored.
_COMPRESSED = frozenset({"gzip", "x-gzip", "deflate", "compress", "x-compress", "br", "zstd", "zlib"})
#: The first bytes of a zlib stream, at the four levels of compression.
_ZLIB_MAGIC = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
_GZIP_WINDOW, _ZLIB_WINDOW, _RAW_DEFLATE_WINDOW = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
#: Charsets that servers declare for every page, whatever it contains.
_MEANINGLESS_CHARSETS = frozenset({"iso8859-1", "ascii", "cp1252", "utf-8"})
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
#: Bytes that JSON and HTML never start with, but that compressed data soon contains.
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
#: A JSON escape ("\\n") does not belong to the word next to it.
_ESCAPED = re.compile(rb"\\.", re.DOTALL)
_WORD = re.compile(rb"[A-Za-z\x80-\xff]*[\x80-\xff][A-Za-z\x80-\xff]*")


def unpack(body: bytes, content_encoding: str, limit: int) -> bytes:
    """Return ``body`` without its content coding.

    Raises:
        OutcomeUnknown: the coding cannot be removed, or the result is larger than ``limit`` bytes.
    """
    declared = {token.strip().lower() for token in content_encoding.split(",")} & _COMPRESSED
    plain = body
    for _ in range(MAX_LAYERS):
        inner = _remove_layer(plain, declared, limit)
        if inner is None:
            break
        plain = inner
    if plain is not body or not declared or _is_text(plain):
        return plain
    if declared & {"gzip", "x-gzip", "deflate"}:
        raise _broken("deflate" if "deflate" in declared else "gzip")
    raise OutcomeUnknown(notes.encode(Note.UNKNOWN_COMPRESSION, coding=", ".join(sorted(declared))))


def _broken(coding: str) -> OutcomeUnknown:
    return OutcomeUnknown(notes.encode(Note.BROKEN_COMPRESSION, coding=coding))


def _remove_layer(body: bytes, declared: set[str], limit: int) -> bytes | None:
    """Return ``body`` without one layer of compression, or None if its bytes are not compressed."""
    if body.startswith(_GZIP_MAGIC):
        return _gunzip(body, limit)
    if body.startswith(_ZLIB_MAGIC):
        return _inflate(body, _ZLIB_WINDOW, limit)
    if "deflate" in declared and not _is_text(body):
        return _inflate(body, _RAW_DEFLATE_WINDOW, limit)
    return None


def decode(body: bytes, content_type: str) -> str:
    """Return ``body`` as text. It never raises, and the result has no characters that a database rejects.

    UTF-8, UTF-16 and UTF-32 are recognized by their bytes. Otherwise the charset of the header is used if it fits.
    Without one, the choice is between the two single-byte charsets that panels use: windows-1251 for Cyrillic, and
    iso-8859-9 for Turkish, which contains the letters of western Europe too.
    """
    text = _unicode(body)
    if text is None:
        text = _single_byte(body, _declared_charset(content_type))
    # Databases reject NUL and single surrogates, which some charsets can produce.
    return text.replace("\x00", _REPLACEMENT).encode("utf-8", "replace").decode()


def _is_text(body: bytes) -> bool:
    """Return whether ``body`` is readable as it is: a declared coding was removed by a proxy or never applied."""
    return not _CONTROL.search(body[:1024]) or _unicode(body) is not None


def _gunzip(body: bytes, limit: int) -> bytes:
    """Return the content of all gzip streams in ``body``, ignoring what follows the last one."""
    plain = bytearray()
    for _ in range(MAX_STREAMS):
        unpacker = zlib.decompressobj(wbits=_GZIP_WINDOW)
        try:
            plain += unpacker.decompress(body, limit + 1 - len(plain))
        except zlib.error:
            raise _broken("gzip") from None
        _check_size(plain, limit)
        if not unpacker.eof:
            raise _broken("gzip")
        body = unpacker.unused_data
        if not body.startswith(_GZIP_MAGIC):
            return bytes(plain)
    raise _broken("gzip")


def _inflate(body: bytes, window: int, limit: int) -> bytes | None:
    unpacker = zlib.decompressobj(wbits=window)
    try:
        plain = unpacker.decompress(body, limit + 1)
    except zlib.error:
        return None
    _check_size(plain, limit)
    return plain if unpacker.eof else None


def _check_size(plain: bytes | bytearray, limit: int) -> None:
    if len(plain) > limit:
        raise OutcomeUnknown(notes.encode(Note.ANSWER_TOO_LARGE, size=limit // 1024))


def _declared_charset(content_type: str) -> str:
    """Return the codec that the header names, or "" if it names none, an unknown one, or a meaningless default."""
    match = _CHARSET.search(content_type)
    if not match:
        return ""
    try:
        codec = codecs.lookup(match[1])
    except LookupError:
        return ""
    return "" if codec.name in _MEANINGLESS_CHARSETS or not codec._is_text_encoding else codec.name


def _unicode(body: bytes) -> str | None:
    """Return ``body`` decoded from a Unicode encoding, or None if it is in none of them.

    A few broken characters are tolerated in UTF-8, because panels cut names in the middle of a character.
    """
    encoding = json.detect_encoding(body)
    text = body.decode(encoding, "replace")
    broken = text.count(_REPLACEMENT)
    if encoding.startswith(("utf-16", "utf-32")):
        # Without a byte order mark, zero bytes suggest UTF-16 or UTF-32; JSON or HTML at the start confirms it.
        is_sure = encoding in ("utf-16", "utf-32") or text[:1] in ("{", "[", '"', "<")
        return text if is_sure and broken <= 1 else None
    whole = sum(character > "\x7f" for character in text) - broken
    return text if whole >= broken else None


def _single_byte(body: bytes, declared: str) -> str:
    if declared:
        try:
            return body.decode(declared)
        except (ValueError, LookupError):
            pass
    cyrillic = latin = 0
    for word in _WORD.findall(_ESCAPED.sub(b" ", body)):
        high = sum(byte > 0x7F for byte in word)
        if high < len(word):
            latin += high
        elif high > 1:  # a single one may be a dash, a quotation mark or a space as well as a letter
            cyrillic += high
    is_cyrillic = cyrillic > latin
    try:
        return body.decode("cp1251" if is_cyrillic else "cp1254")
    except UnicodeError:
        return body.decode("latin-1")
