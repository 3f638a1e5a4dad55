"""Reading an upload's multipart body without ever holding more of it than allowed."""

import os
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http import HttpRequest
from django.http import multipartparser as django_multipart
from django.utils.translation import gettext as _
from rest_framework import parsers
from rest_framework.exceptions import ParseError

from .errors import FileTooLarge, store_errors
from .names import clean_name

FIELD = "file"


class UploadHandler(TemporaryFileUploadHandler):
    """Keeps the one file of the field `file` in a temporary file, up to `MAX_UPLOAD_BYTES`.

    The bytes are counted as they come: what the request or the part says of its length is only a
    claim. Files of other fields are read past.

    Raises FileTooLarge at the first byte too many, ValidationError for a second file, ParseError
    for a file that stops before its end; the temporary file is gone then.
    """

    is_wanted = False

    def new_file(self, field_name: str, *args: Any, **kwargs: Any) -> None:
        self.is_wanted = field_name == FIELD
        if not self.is_wanted:
            return
        if hasattr(self, "file"):
            self.file.close()
            raise ValidationError({FIELD: _("Send one file with each request.")})
        super().new_file(field_name, *args, **kwargs)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if not self.is_wanted:
            return
        if start + len(raw_data) > settings.MAX_UPLOAD_BYTES:
            self.file.close()
            raise FileTooLarge
        try:
            self.file.write(raw_data)
        except OSError:
            self.file.close()
            raise

    def file_complete(self, file_size: int):
        return super().file_complete(file_size) if self.is_wanted else None

    def upload_interrupted(self) -> None:
        super().upload_interrupted()
        raise ParseError(_("The upload stops before its end."))


class MultiPartReader(django_multipart.MultiPartParser):
    """Django's, but our own rules for names: its own lose the half-spaces of Persian."""

    def sanitize_file_name(self, file_name: str) -> str:
        return clean_name(file_name)


class UploadParser(parsers.MultiPartParser):
    """DRF's parser for multipart forms, on the two classes above."""

    def parse(self, stream, media_type=None, parser_context=None) -> parsers.DataAndFiles:
        request = (parser_context or {})["request"]._request
        request.upload_handlers = [UploadHandler(request)]
        meta = request.META | {"CONTENT_TYPE": media_type}
        reader = MultiPartReader(meta, stream, request.upload_handlers, request.encoding)
        with store_errors():
            return parsers.DataAndFiles(*reader.parse())


def declare_length(request: HttpRequest) -> None:
    """Note the length of a chunked body as its Content-Length.

    Django and DRF take a body without a Content-Length for an empty one. An ASGI request has been
    read to its end by now, into a file.
    """
    body = request._stream
    if "CONTENT_LENGTH" not in request.META and body.seekable():
        request.META["CONTENT_LENGTH"] = str(body.seek(0, os.SEEK_END))
        body.seek(0)
