"""Parsers of request bodies. Each returns the parameters of a call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest, UnreadablePostError
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from rest_framework.parsers import BaseParser

from storefront.api.panel import parameters
from storefront.api.panel.parameters import Params
from storefront.api.panel.responses import INCORRECT_REQUEST, PanelRefusal

UNREADABLE = f"{INCORRECT_REQUEST}: its body cannot be read"


class MultipartParser(BaseParser):
    media_type = "multipart/form-data"

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Params:
        http: HttpRequest = (parser_context or {})["request"]._request
        try:
            # Texts are UTF-8, whatever charset was announced.
            fields, _files = MultiPartParser(http.META, stream, [SkipFiles(http)], "utf-8").parse()
        except (SuspiciousOperation, BadRequest, MultiPartParserError, UnreadablePostError) as problem:
            raise PanelRefusal(UNREADABLE) from problem
        return parameters.gather((name, str(value)) for name, values in fields.lists() for value in values)


class FormOrJsonParser(BaseParser):
    """Detect the format from the body, because the content type is too often missing or wrong."""

    media_type = "*/*"

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Params:
        try:
            raw = stream.read().removeprefix(b"\xef\xbb\xbf").strip()
        except UnreadablePostError as problem:
            raise PanelRefusal(UNREADABLE) from problem
        return parameters.from_json(raw) if raw.startswith((b"{", b"[")) else parameters.from_form(raw)


class SkipFiles(FileUploadHandler):
    """Store no file: no action takes one."""

    def new_file(self, *args: Any, **options: Any) -> None:
        raise SkipFile

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        return None

    def file_complete(self, file_size: int) -> None:
        return None
