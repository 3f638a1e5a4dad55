"""The paths under `/chat/`; each answers with and without its final slash."""

from django.urls import include, path, re_path
from rest_framework.routers import SimpleRouter

from . import api

router = SimpleRouter()
router.trailing_slash = "/?"  # its argument would take this for a plain "yes"
router.register("chat_rooms", api.RoomViewSet, basename="chat-room")
router.register("private_chats", api.PrivateChatViewSet, basename="private-chat")
router.register("public_rooms", api.PublicRoomViewSet, basename="public-room")
router.register("people", api.PeopleViewSet, basename="people")
router.register("search", api.SearchViewSet, basename="search")

messages = api.MessageViewSet.as_view({"get": "list", "post": "create"})
message = api.MessageViewSet.as_view(
    {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}
)
reaction = api.ReactionViewSet.as_view({"put": "update", "delete": "destroy"})
members = api.MemberViewSet.as_view({"get": "list", "post": "create"})
member = api.MemberViewSet.as_view({"patch": "partial_update", "delete": "destroy"})

ROOM = r"^chat_rooms/(?P<pk>[^/]+)"

urlpatterns = [
    re_path(ROOM + r"/messages/?$", messages, name="message-list"),
    re_path(ROOM + r"/messages/(?P<message_id>[^/]+)/?$", message, name="message-detail"),
    re_path(
        ROOM + r"/messages/(?P<message_id>[^/]+)/reactions/(?P<emoji>[^/]+)/?$",
        reaction,
        name="reaction",
    ),
    re_path(ROOM + r"/members/?$", members, name="member-list"),
    re_path(ROOM + r"/members/(?P<member_id>[^/]+)/?$", member, name="member-detail"),
    path("", include(router.urls)),
]
