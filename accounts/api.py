"""Accounts over HTTP. It decides nothing: the actions do, and raise what is answered."""

from typing import Any

from bson import ObjectId
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_view,
)
from rest_framework import mixins, status, viewsets
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chatservice.endpoints import answer
from chatservice.negotiation import JSONErrors
from chatservice.refusals import INVALID, NOT_AUTHENTICATED, refusal
from chatservice.renderers import JSONRenderer
from media_upload.parsing import FIELD, UploadParser, declare_length

from . import actions, avatars, endpoints, tokens
from .addresses import client_address, user_agent
from .authentication import SCHEME
from .models import Session
from .serializers import (
    AvatarFile,
    ChangePassword,
    ChangeProfile,
    LogIn,
    NewPersonSerializer,
    PersonSerializer,
    Refresh,
    SessionSerializer,
    SignUp,
    TokensSerializer,
)

KEPT_FOR_EVER = "max-age=31536000, immutable"
WRONG_CREDENTIALS = {401: refusal("Incorrect email or password.")}
TOO_MANY_FAILURES = {429: refusal("Too many failed attempts; `Retry-After` says how many seconds.")}
LOG_IN: dict[str, Any] = {
    "request": {
        "application/x-www-form-urlencoded": LogIn,
        "multipart/form-data": LogIn,
        "application/json": LogIn,
    },
    "responses": {200: TokensSerializer, **WRONG_CREDENTIALS, **INVALID, **TOO_MANY_FAILURES},
}


class EntranceViewSet(viewsets.ViewSet):
    """What is open to people who are not logged in. A token that comes along is not looked at."""

    authentication_classes = []
    permission_classes = [AllowAny]

    def get_authenticate_header(self, request: Request) -> str:
        return SCHEME  # a 401 of the log-in has it too, though nobody is authenticated here

    @extend_schema(
        operation_id="sign_up",
        request=SignUp,
        responses={
            201: NewPersonSerializer,
            400: refusal("`Email already registered` or `Username already registered`."),
            **INVALID,
        },
    )
    def sign_up(self, request: Request) -> Response:
        """Make an account."""
        user = actions.sign_up(**fields_of(SignUp, request))
        return Response(NewPersonSerializer(user).data, status=status.HTTP_201_CREATED)

    @extend_schema(operation_id="log_in", **LOG_IN)
    def log_in(self, request: Request) -> Response:
        """Log in on a new device."""
        fields = fields_of(LogIn, request)
        session = actions.log_in(
            name=fields["username"], password=fields["password"], **device_of(request)
        )
        return Response(tokens.issue(session))

    @extend_schema(operation_id="token", **LOG_IN)
    def token(self, request: Request) -> Response:
        """Log in on a new device: `/auth/login` by the name that OAuth 2 clients look for."""
        return self.log_in(request)

    @extend_schema(
        operation_id="refresh_tokens",
        request=Refresh,
        responses={
            200: TokensSerializer,
            401: refusal("The refresh token does not count (any more)."),
            **INVALID,
        },
    )
    def refresh(self, request: Request) -> Response:
        """Get the next pair of tokens.

        A refresh token works once. One that comes a second time ends its session: somebody else
        has it too.
        """
        return Response(actions.refresh_tokens(**fields_of(Refresh, request)))


class AccountViewSet(viewsets.ViewSet):
    """The account of the person who asks."""

    @extend_schema(operation_id="me", responses={200: PersonSerializer, **NOT_AUTHENTICATED})
    def me(self, request: Request) -> Response:
        """Who you are."""
        return answer(endpoints.show_me, request)

    @extend_schema(
        operation_id="change_profile",
        request=ChangeProfile,
        responses={200: PersonSerializer, **NOT_AUTHENTICATED, **INVALID},
    )
    def change_profile(self, request: Request) -> Response:
        """Change what is shown of you."""
        user = actions.change_profile(actor=request.user, **fields_of(ChangeProfile, request))
        return Response(PersonSerializer(user).data)

    @extend_schema(
        operation_id="change_password",
        request=ChangePassword,
        responses={200: TokensSerializer, **NOT_AUTHENTICATED, **INVALID, **TOO_MANY_FAILURES},
    )
    def change_password(self, request: Request) -> Response:
        """Change your password.

        Every device is logged out, this one too; the answer is a new pair of tokens for it.
        """
        session = actions.change_password(
            actor=request.user, **fields_of(ChangePassword, request), **device_of(request)
        )
        return Response(tokens.issue(session))

    @extend_schema(operation_id="log_out", request=None, responses={204: None, **NOT_AUTHENTICATED})
    def log_out(self, request: Request) -> Response:
        """Log this device out. Its tokens and its sockets end at once."""
        actions.log_out(actor=request.user, session_id=request.auth.session_id)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        operation_id="log_out_everywhere", request=None, responses={204: None, **NOT_AUTHENTICATED}
    )
    def log_out_everywhere(self, request: Request) -> Response:
        """Log all your devices out, this one too."""
        actions.log_out_everywhere(actor=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


class OwnAvatarView(APIView):
    """The picture of the person who asks."""

    parser_classes = [UploadParser]

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        declare_length(request)
        return super().initialize_request(request, *args, **kwargs)

    @extend_schema(
        operation_id="change_avatar",
        request={"multipart/form-data": AvatarFile},
        responses={
            200: PersonSerializer,
            **NOT_AUTHENTICATED,
            413: refusal("The file is larger than the server takes."),
            422: refusal("There is no image in the field `file`, or one of too many pixels."),
        },
    )
    def put(self, request: Request) -> Response:
        """Have a picture: the middle of an image, made small. Nothing else of the file is kept."""
        try:
            file = request.FILES.get(FIELD)
        except UnsupportedMediaType:  # a body of another kind has no file in it
            file = None
        if file is None:
            raise ValidationError({FIELD: _("Send a file, as the field `file` of a form.")})
        return Response(PersonSerializer(actions.change_avatar(actor=request.user, file=file)).data)

    @extend_schema(
        operation_id="remove_avatar", responses={200: PersonSerializer, **NOT_AUTHENTICATED}
    )
    def delete(self, request: Request) -> Response:
        """Have no picture any more."""
        return Response(PersonSerializer(actions.remove_avatar(actor=request.user)).data)


class AvatarView(APIView):
    """The pictures of people."""

    content_negotiation_class = JSONErrors
    renderer_classes = [JSONRenderer]

    @extend_schema(
        operation_id="fetch_avatar",
        parameters=[
            OpenApiParameter("id", str, OpenApiParameter.PATH, description="24 hex digits."),
            OpenApiParameter("v", str, description="The version, as in `avatar_url`."),
        ],
        responses={
            (200, avatars.CONTENT_TYPE): OpenApiTypes.BINARY,
            304: OpenApiResponse(description="Not modified."),
            **NOT_AUTHENTICATED,
            404: refusal("No such picture, or not for the caller."),
        },
    )
    def get(self, request: Request, id: str) -> HttpResponse:
        """The picture of somebody one shares a room with, or was shown in one.

        At the address in `avatar_url` it never changes, and may be kept for ever.
        """
        version = request.query_params.get("v", "")
        picture = avatars.find(request.user, ObjectId(id), version)
        if picture is None:
            raise Http404(_("There is no picture here that you may see."))
        etag = f'"{picture.version}"'
        response = get_conditional_response(request._request, etag=etag) or HttpResponse(
            bytes(picture.content), content_type=avatars.CONTENT_TYPE
        )
        is_current = version == picture.version
        response["ETag"] = etag
        response["Cache-Control"] = f"private, {KEPT_FOR_EVER if is_current else 'no-cache'}"
        response["X-Content-Type-Options"] = "nosniff"
        response["Content-Security-Policy"] = "default-src 'none'; sandbox"
        response["Cross-Origin-Resource-Policy"] = "same-origin"
        return response


@extend_schema_view(
    list=extend_schema(
        operation_id="list_sessions",
        summary="The devices you are logged in on",
        responses={200: SessionSerializer(many=True), **NOT_AUTHENTICATED},
    ),
    destroy=extend_schema(
        operation_id="end_session",
        summary="Log one of your devices out",
        parameters=[
            OpenApiParameter("id", str, OpenApiParameter.PATH, description="24 hex digits.")
        ],
        responses={204: None, **NOT_AUTHENTICATED, 404: refusal("You have no such log-in.")},
    ),
)
class SessionViewSet(
    mixins.ListModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet[Session]
):
    """The log-ins of the person who asks."""

    serializer_class = SessionSerializer
    pagination_class = None
    lookup_field = "id"

    def get_queryset(self) -> QuerySet[Session]:
        return Session.objects.visible_to(self.request.user)

    def perform_destroy(self, session: Session) -> None:
        actions.end_session(actor=self.request.user, session=session)

    @extend_schema(operation_id="end_other_sessions", responses={204: None, **NOT_AUTHENTICATED})
    def destroy_others(self, request: Request) -> Response:
        """Log all your other devices out."""
        actions.log_out_elsewhere(actor=request.user, session_id=request.auth.session_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


def fields_of(shape: type, request: Request) -> dict[str, Any]:
    """The request's body in this shape. Raises DRF's ValidationError (422)."""
    fields = shape(data=request.data)
    fields.is_valid(raise_exception=True)
    return fields.validated_data


def device_of(request: Request) -> dict[str, str]:
    """Where a log-in comes from, as the actions take it."""
    return {"address": client_address(request), "user_agent": user_agent(request)}
