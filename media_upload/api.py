"""Uploading a file and fetching it."""

import logging

from bson import ObjectId
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import generics, status, views
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.request import Request
from rest_framework.response import Response

from chatservice.negotiation import JSONErrors
from chatservice.renderers import JSONRenderer

from . import actions, serving
from .models import Upload
from .parsing import FIELD, UploadParser, declare_length
from .serializers import UploadFileSerializer, UploadSerializer

logger = logging.getLogger(__name__)


class UploadView(generics.GenericAPIView):
    """Takes a file. What it is, is found in its content; its name is cleaned."""

    queryset = Upload.objects.none()
    serializer_class = UploadFileSerializer  # what the form of the browsable API has
    parser_classes = [UploadParser]

    def initialize_request(self, request: HttpRequest, *args, **kwargs) -> Request:
        declare_length(request)
        return super().initialize_request(request, *args, **kwargs)

    @extend_schema(
        summary="Upload a file",
        operation_id="upload_file",
        tags=["media"],
        request={"multipart/form-data": UploadFileSerializer},
        responses={
            201: UploadSerializer,
            400: OpenApiResponse(description="The multipart body is broken or cut off."),
            413: OpenApiResponse(description="The file is larger than the server takes."),
            422: OpenApiResponse(description="There is no file in the field `file`."),
            507: OpenApiResponse(description="There is no space left for files."),
        },
    )
    def post(self, request: Request) -> Response:
        """Send a file as a form (`multipart/form-data`) with the field `file`.

        It can be fetched by its owner, and by the members of a room as soon as a message there
        names its id in `uploads`. Its type is found in its content, its name is cleaned.
        """
        try:
            file = request.FILES.get(FIELD)
        except UnsupportedMediaType:  # a body of another kind has no file in it
            file = None
        if file is None:
            raise ValidationError({FIELD: _("Send a file, as the field `file` of a form.")})
        upload = actions.store_upload(actor=request.user, file=file)
        # Without its serializer, which the browsable API would make its next form of.
        return Response(dict(UploadSerializer(upload).data), status=status.HTTP_201_CREATED)


class MediaView(views.APIView):
    """Hands out files, after asking who may see them."""

    content_negotiation_class = JSONErrors
    renderer_classes = [JSONRenderer]

    @extend_schema(
        summary="Fetch a file",
        operation_id="fetch_file",
        tags=["media"],
        parameters=[
            OpenApiParameter("upload_id", str, "path", description="The id of the upload."),
            OpenApiParameter("name", str, "path", description="Its name, as in `file_url`."),
            OpenApiParameter("Range", str, "header", description="One range of bytes."),
            OpenApiParameter("If-None-Match", str, "header", description="The ETag one has."),
        ],
        responses={
            (200, "*/*"): OpenApiTypes.BINARY,
            (206, "*/*"): OpenApiTypes.BINARY,
            302: OpenApiResponse(description="The bytes are in an object store: a signed address."),
            304: OpenApiResponse(description="Not modified."),
            404: OpenApiResponse(description="No such file, or not for the caller."),
            416: OpenApiResponse(description="The file has no such range."),
        },
    )
    def get(self, request: Request, upload_id: str, name: str) -> HttpResponseBase:
        """The bytes of one's own upload, or of one that was posted in a room that one is in.

        For a stranger it is not there: the same 404 as for none. Images, sounds, videos and plain
        texts are shown by browsers, everything else is saved. HEAD works, too.
        """
        pk = ObjectId(upload_id)
        upload = Upload.objects.visible_to(request.user, among=[pk]).first()
        if upload is None or upload.name != name:
            raise Http404(_("File not found or access denied"))
        if settings.MEDIA_STORAGE == "s3":
            return serving.redirect(request._request, upload)
        try:
            return serving.respond(request._request, upload)
        except FileNotFoundError:
            logger.error("The store has lost the bytes of the upload %s.", upload_id)
            raise Http404(_("File not found or access denied")) from None
