"""What an address answers with, where that is not for the client to choose."""

from rest_framework.negotiation import BaseContentNegotiation


class JSONErrors(BaseContentNegotiation):
    """Errors are JSON, whatever the client accepts: an <img> accepts images alone."""

    def select_parser(self, request, parsers):
        return parsers[0]

    def select_renderer(self, request, renderers, format_suffix=None):
        return renderers[0], renderers[0].media_type
