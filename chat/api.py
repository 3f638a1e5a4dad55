"""The REST door. Reading is `reading`, writing is `actions`; nothing is decided here."""

from bson import ObjectId
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from chatservice import limits
from chatservice.endpoints import answer, checked, respond
from chatservice.realtime.loop import run
from chatservice.refusals import FORBIDDEN, INVALID, NOT_AUTHENTICATED, refusal

from . import actions, endpoints, events, hot_path, policies, reading, serializers

ROOM = OpenApiParameter("id", OpenApiTypes.STR, OpenApiParameter.PATH, description="The room.")
MEMBER = OpenApiParameter(
    "member_id", OpenApiTypes.STR, OpenApiParameter.PATH, description="The member's user id."
)
MESSAGE = OpenApiParameter(
    "message_id", OpenApiTypes.STR, OpenApiParameter.PATH, description="The message."
)
NO_ROOM = {404: refusal("Chat room not found or access denied: nobody learns which.")}
READING = {**NOT_AUTHENTICATED, **NO_ROOM}
WRITING = {**READING, **FORBIDDEN, **INVALID}
LAST_MESSAGES = OpenApiParameter(
    "messages",
    OpenApiTypes.INT,
    description="How many messages to include, the newest; all of them without it.",
)


class RoomViewSet(viewsets.ViewSet):
    """Your rooms. A room of others is not there: the same 404 as for one that does not exist."""

    lookup_value_regex = "[^/]+"

    @extend_schema(
        responses={200: serializers.RoomSummary(many=True), **NOT_AUTHENTICATED},
        summary="List your rooms",
    )
    def list(self, request: Request) -> Response:
        """All rooms that you are a member of, the most recently active first."""
        return answer(endpoints.list_rooms, request)

    @extend_schema(
        request=serializers.CreateRoom,
        responses={
            201: serializers.Room,
            200: serializers.Room,
            **NOT_AUTHENTICATED,
            **INVALID,
        },
        summary="Create a room",
        examples=[
            OpenApiExample("A group", {"name": "Lunch", "members": ["bob@example.com"]}),
            OpenApiExample(
                "A private chat",
                {"name": "Bob", "members": ["bob@example.com"], "is_group_chat": False},
            ),
        ],
    )
    def create(self, request: Request) -> Response:
        """Make a room with you and the members named in it.

        With `is_group_chat: false` and one other member it is the private chat of you two, and
        asking again gives the same one, with status 200.
        """
        fields = checked(serializers.CreateRoom, request.data)
        is_group_chat = fields.pop("is_group_chat")
        open_room = actions.create_room if is_group_chat else actions.open_private_chat
        opened = run(open_room(actor=request.user, **fields))
        code = status.HTTP_201_CREATED if opened.created else status.HTTP_200_OK
        return respond(request, run(endpoints.room(request.user, opened.room_id, status=code)))

    @extend_schema(
        parameters=[ROOM, LAST_MESSAGES],
        responses={200: serializers.Room, **READING},
        summary="Read a room",
    )
    def retrieve(self, request: Request, pk: str) -> Response:
        """A room with its members and its messages, oldest first."""
        return answer(endpoints.show_room, request, pk=pk)

    @extend_schema(
        parameters=[ROOM],
        request=serializers.ChangeRoom,
        responses={200: serializers.RoomSummary, **WRITING},
        summary="Change a room",
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change the name, the description, or whether it is public, which only an owner may."""
        room_id = policies.room_id_from(pk)
        fields = checked(serializers.ChangeRoom, request.data)
        run(actions.change_room(actor=request.user, room_id=room_id, **fields))
        return Response(serializers.room_summary(run(reading.room(request.user, room_id))))

    @extend_schema(parameters=[ROOM], responses={204: None, **WRITING}, summary="Delete a room")
    def destroy(self, request: Request, pk: str) -> Response:
        """Close a room for everybody in it. Only its owner may."""
        run(actions.delete_room(actor=request.user, room_id=policies.room_id_from(pk)))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        parameters=[ROOM], request=None, responses={204: None, **WRITING}, summary="Leave a room"
    )
    @action(detail=True, methods=["post"])
    def leave(self, request: Request, pk: str) -> Response:
        """Leave a group. Nothing of it reaches you from then on."""
        room_id = policies.room_id_from(pk)
        run(actions.leave_room(actor=request.user, room_id=room_id))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        parameters=[ROOM], request=None, responses={204: None, **READING}, summary="Join a room"
    )
    @action(detail=True, methods=["post"])
    def join(self, request: Request, pk: str) -> Response:
        """Go into a public room. Any other is not there for who is not in it."""
        run(actions.join_room(actor=request.user, room_id=policies.room_id_from(pk)))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        parameters=[ROOM],
        request=serializers.ChangeMembership,
        responses={200: serializers.Muted, **READING, **INVALID},
        summary="Mute a room, or no more",
    )
    @action(detail=True, methods=["patch"])
    def membership(self, request: Request, pk: str) -> Response:
        """Say whether you want to hear of a room. Your devices are told, and nobody else."""
        room_id = policies.room_id_from(pk)
        muted = checked(serializers.ChangeMembership, request.data)["muted"]
        run(actions.mute_room(actor=request.user, room_id=room_id, muted=muted))
        return Response(events.membership(room_id, muted=muted))

    @extend_schema(
        parameters=[ROOM],
        request=serializers.MarkRead,
        responses={204: None, **WRITING},
        summary="Mark a room as read",
    )
    @action(detail=True, methods=["post"])
    def read(self, request: Request, pk: str) -> Response:
        """Note that you have read the room up to a number. It never moves back."""
        seq = checked(serializers.MarkRead, request.data)["seq"]
        run(actions.mark_read(actor=request.user, room_id=policies.room_id_from(pk), seq=seq))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        parameters=[ROOM, serializers.EntryPage],
        responses={200: serializers.LogPage, **READING, **INVALID},
        summary="Read a room's log",
    )
    @action(detail=True, methods=["get"])
    def events(self, request: Request, pk: str) -> Response:
        """Everything that happened in a room after a number, in order: what `resume` answers."""
        return answer(endpoints.read_log, request, pk=pk)


class MessageViewSet(viewsets.ViewSet):
    """The messages of one of your rooms."""

    lookup_field = "message_id"
    lookup_value_regex = "[^/]+"

    @extend_schema(
        parameters=[ROOM, serializers.MessagePage],
        responses={200: serializers.Message(many=True), **READING, **INVALID},
        summary="Read messages",
    )
    def list(self, request: Request, pk: str) -> Response:
        """A bare list, oldest first: all messages, or a page of them.

        A page carries `Link` headers (`prev` for older messages, `next` for newer ones) and costs
        the same in a room of ten and of a million messages.
        """
        return answer(endpoints.list_messages, request, pk=pk)

    @extend_schema(
        parameters=[ROOM],
        request=serializers.PostMessage,
        responses={
            201: serializers.Message,
            200: serializers.Message,
            **READING,
            **INVALID,
        },
        summary="Say something",
    )
    def create(self, request: Request, pk: str) -> Response:
        """Store a message and announce it to every member's every device.

        201 means stored on disk. A repeated `client_id` answers the first message again, with
        status 200, and announces nothing.
        """
        return answer(endpoints.post_message, request, pk=pk)

    @extend_schema(
        parameters=[ROOM, MESSAGE],
        responses={200: serializers.Message, **READING},
        summary="Read one message",
    )
    def retrieve(self, request: Request, pk: str, message_id: str) -> Response:
        """The message as it is now."""
        message = run(
            reading.message(request.user, policies.room_id_from(pk), message_id_from(message_id))
        )
        return Response(events.message(message))

    @extend_schema(
        parameters=[ROOM, MESSAGE],
        request=serializers.EditMessage,
        responses={200: serializers.Message, **WRITING},
        summary="Edit a message",
    )
    def partial_update(self, request: Request, pk: str, message_id: str) -> Response:
        """Replace the text of a message of your own."""
        fields = checked(serializers.EditMessage, request.data)
        message = run(
            actions.edit_message(
                actor=request.user,
                room_id=policies.room_id_from(pk),
                message_id=message_id_from(message_id),
                **fields,
            )
        )
        return Response(events.message(message))

    @extend_schema(
        parameters=[ROOM, MESSAGE], responses={204: None, **WRITING}, summary="Delete a message"
    )
    def destroy(self, request: Request, pk: str, message_id: str) -> Response:
        """Take the content of a message away: your own, or any as a moderator. Its number stays."""
        run(
            actions.delete_message(
                actor=request.user,
                room_id=policies.room_id_from(pk),
                message_id=message_id_from(message_id),
            )
        )
        return Response(status=status.HTTP_204_NO_CONTENT)


REACTION = OpenApiParameter(
    "emoji", OpenApiTypes.STR, OpenApiParameter.PATH, description="One emoji, percent-encoded."
)


class ReactionViewSet(viewsets.ViewSet):
    """Your own reaction to a message."""

    @extend_schema(
        parameters=[ROOM, MESSAGE, REACTION],
        request=None,
        responses={204: None, **READING, **INVALID},
        summary="React to a message",
    )
    def update(self, request: Request, pk: str, message_id: str, emoji: str) -> Response:
        """React with an emoji. Doing it again does nothing."""
        return self._react(request, pk, message_id, emoji, on=True)

    @extend_schema(
        parameters=[ROOM, MESSAGE, REACTION],
        responses={204: None, **READING, **INVALID},
        summary="Take a reaction back",
    )
    def destroy(self, request: Request, pk: str, message_id: str, emoji: str) -> Response:
        """Take your reaction with an emoji back. Doing it again does nothing."""
        return self._react(request, pk, message_id, emoji, on=False)

    def _react(
        self, request: Request, pk: str, message_id: str, emoji: str, *, on: bool
    ) -> Response:
        room_id = policies.room_id_from(pk)
        message = run(reading.message(request.user, room_id, message_id_from(message_id)))
        run(
            actions.react(
                actor=request.user, room_id=room_id, target=message["seq"], emoji=emoji, on=on
            )
        )
        return Response(status=status.HTTP_204_NO_CONTENT)


class MemberViewSet(viewsets.ViewSet):
    """Who is in one of your rooms."""

    lookup_field = "member_id"
    lookup_value_regex = "[^/]+"

    @extend_schema(
        parameters=[ROOM],
        responses={200: serializers.Member(many=True), **READING},
        summary="List members",
    )
    def list(self, request: Request, pk: str) -> Response:
        """Who is in the room, the first to join first, and who of them is online."""
        views = run(reading.members(request.user, policies.room_id_from(pk)))
        return Response([serializers.member(view) for view in views])

    @extend_schema(
        parameters=[ROOM],
        request=serializers.AddMembers,
        responses={201: serializers.Member(many=True), **WRITING},
        summary="Add members",
    )
    def create(self, request: Request, pk: str) -> Response:
        """Let people into a group. Unknown people are an error that names them."""
        room_id = policies.room_id_from(pk)
        people = checked(serializers.AddMembers, request.data)["members"]
        run(actions.add_members(actor=request.user, room_id=room_id, people=people))
        views = run(reading.members(request.user, room_id))
        return Response(
            [serializers.member(view) for view in views], status=status.HTTP_201_CREATED
        )

    @extend_schema(
        parameters=[ROOM, MEMBER],
        request=serializers.ChangeRole,
        responses={204: None, **WRITING},
        summary="Change a member's role",
    )
    def partial_update(self, request: Request, pk: str, member_id: str) -> Response:
        """Make a member an owner, a moderator, or a plain member. Only an owner may."""
        fields = checked(serializers.ChangeRole, request.data)
        run(
            actions.change_role(
                actor=request.user,
                room_id=policies.room_id_from(pk),
                member_id=member_id_from(member_id),
                **fields,
            )
        )
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        parameters=[ROOM, MEMBER], responses={204: None, **WRITING}, summary="Remove a member"
    )
    def destroy(self, request: Request, pk: str, member_id: str) -> Response:
        """Put somebody out of a group: they see nothing of it from then on."""
        run(
            actions.remove_member(
                actor=request.user,
                room_id=policies.room_id_from(pk),
                member_id=member_id_from(member_id),
            )
        )
        return Response(status=status.HTTP_204_NO_CONTENT)


class SearchViewSet(viewsets.ViewSet):
    """Messages of all your rooms, by their words."""

    @extend_schema(
        parameters=[serializers.FoundPage],
        responses={200: serializers.Found, **READING, **INVALID},
        summary="Search messages",
    )
    def list(self, request: Request) -> Response:
        """The messages that have all the words, the newest first, in the rooms that you are in.

        Upper and lower case, accents, Arabic and Persian forms of letters and digits, diacritics
        and half-spaces do not matter. Deleted messages are not found, edited ones by their new
        text.
        """
        limits.take(limits.LOOK_UPS, request.user.pk)
        query = checked(serializers.FoundPage, request.query_params)
        hits = run(
            reading.search(
                request.user,
                query["q"],
                room_id=policies.room_id_from(query["room"]) if "room" in query else None,
                before=hot_path.parse_id(query.get("before")),
                limit=query["limit"],
            )
        )
        return Response(serializers.found(hits))


class PublicRoomViewSet(viewsets.ViewSet):
    """The directory: rooms that everybody with an account may join."""

    @extend_schema(
        parameters=[serializers.DirectoryPage],
        responses={200: serializers.PublicRooms, **NOT_AUTHENTICATED, **INVALID},
        summary="List public rooms",
    )
    def list(self, request: Request) -> Response:
        """Public rooms, the most recently active first, those you are in too."""
        limits.take(limits.LOOK_UPS, request.user.pk)
        query = checked(serializers.DirectoryPage, request.query_params)
        page = run(
            reading.public_rooms(
                request.user, query["q"], after=query.get("after"), limit=query["limit"]
            )
        )
        return Response(serializers.public_rooms(page))


class PeopleViewSet(viewsets.ViewSet):
    """Names to choose people by."""

    @extend_schema(
        parameters=[serializers.PeopleQuery],
        responses={200: serializers.FoundPerson(many=True), **NOT_AUTHENTICATED, **INVALID},
        summary="Find people",
    )
    def list(self, request: Request) -> Response:
        """Up to ten people whose names begin so and who share a room with you.

        Strangers are found by their whole user name or e-mail address only: nobody can list the
        accounts of the service.
        """
        limits.take(limits.LOOK_UPS, request.user.pk)
        text = checked(serializers.PeopleQuery, request.query_params)["q"]
        people = run(reading.people(request.user, text))
        return Response([serializers.found_person(person) for person in people])


class PrivateChatViewSet(viewsets.ViewSet):
    """Your private chats: rooms of two, one for each pair of people."""

    @extend_schema(
        responses={200: serializers.PrivateChat(many=True), **NOT_AUTHENTICATED},
        summary="List private chats",
    )
    def list(self, request: Request) -> Response:
        """Your private chats, the most recently active first, and who of the others is online."""
        chats = run(reading.private_chats(request.user))
        return Response([serializers.private_chat(chat) for chat in chats])

    @extend_schema(
        request=serializers.OpenPrivateChat,
        responses={
            201: serializers.PrivateChat,
            200: serializers.PrivateChat,
            **NOT_AUTHENTICATED,
            **INVALID,
        },
        summary="Open a private chat",
    )
    def create(self, request: Request) -> Response:
        """The private chat with somebody, made if there is none yet; 200 if there is."""
        other = checked(serializers.OpenPrivateChat, request.data)["user"]
        opened = run(actions.open_private_chat(actor=request.user, members=[other]))
        chat = run(reading.private_chat(request.user, opened.room_id))
        code = status.HTTP_201_CREATED if opened.created else status.HTTP_200_OK
        return Response(serializers.private_chat(chat), status=code)


def message_id_from(text: str) -> ObjectId:
    message_id = hot_path.parse_id(text)
    if message_id is None:
        raise policies.MessageNotFound
    return message_id


def member_id_from(text: str) -> ObjectId:
    member_id = hot_path.parse_id(text)
    if member_id is None:
        raise policies.MemberNotFound
    return member_id
