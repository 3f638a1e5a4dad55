"""Writing JSON, the same bytes as REST framework in a tenth of the time."""

from typing import Any

import orjson
from rest_framework import renderers
from rest_framework.utils.encoders import JSONEncoder

AS_REST_FRAMEWORK = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
"""What orjson would write in its own way goes to REST framework's encoder."""

_encoder = JSONEncoder()


class JSONRenderer(renderers.JSONRenderer):
    """REST framework's, which still writes what is to be indented and what orjson refuses."""

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: dict[str, Any] | None = None,
    ) -> bytes:
        if data is not None and not self.get_indent(accepted_media_type, renderer_context or {}):
            try:
                return _escaped(orjson.dumps(data, _encoder.default, AS_REST_FRAMEWORK))
            except orjson.JSONEncodeError:  # keys that are no strings, numbers of more than 64 bits
                pass
        return super().render(data, accepted_media_type, renderer_context)


def _escaped(text: bytes) -> bytes:
    """Without the two characters that end a line in JavaScript, and not in JSON."""
    if b"\xe2" in text:  # where both begin: to look for one byte costs next to nothing
        text = text.replace(b"\xe2\x80\xa8", b"\\u2028").replace(b"\xe2\x80\xa9", b"\\u2029")
    return text
