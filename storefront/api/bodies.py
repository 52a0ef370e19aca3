"""Request bodies: their size limit, and bodies that come in chunks without a length."""

from __future__ import annotations

from http import HTTPStatus
from io import BytesIO

from django.conf import settings
from django.http import HttpRequest
from rest_framework.exceptions import APIException, ParseError


class BodyTooLarge(APIException):
    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_detail = "The body is too large."
    default_code = "body_too_large"


class LengthRequired(APIException):
    status_code = HTTPStatus.LENGTH_REQUIRED
    default_detail = "The body needs a Content-Length."
    default_code = "length_required"


def prepare_body(http: HttpRequest) -> None:
    """Check the size of the body, and make a chunked one readable. Call this before anything reads the body.

    Our web server decodes chunks and sets the length. Others, such as gunicorn's own workers, decode them and set no
    length, so that Django would read nothing. ``runserver`` does not decode them at all.

    Raises:
        BodyTooLarge: There are more than DATA_UPLOAD_MAX_MEMORY_SIZE bytes.
        LengthRequired: The body is chunked and the server does not decode it.
        ParseError: The length is not a number.
    """
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    length = http.META.get("CONTENT_LENGTH")
    if not length and "HTTP_TRANSFER_ENCODING" in http.META:
        if not http.META.get("wsgi.input_terminated"):
            raise LengthRequired
        body = http.META["wsgi.input"].read(limit + 1)
        length = http.META["CONTENT_LENGTH"] = str(len(body))
        http._stream = BytesIO(body)
    try:
        size = int(length or 0)
    except ValueError:
        raise ParseError from None
    if size > limit:
        raise BodyTooLarge
