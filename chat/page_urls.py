"""The addresses of the chat's pages, with and without the final slash."""

from django.urls import re_path

from . import finding_views, views

app_name = "rooms"

ROOM = r"^rooms/(?P<room_id>[0-9a-f]{24})"
MESSAGE = ROOM + r"/messages/(?P<message_id>[0-9a-f]{24})"

urlpatterns = [
    re_path(r"^rooms/new/?$", views.new_room, name="new"),
    re_path(r"^rooms/private/?$", views.open_private_chat, name="private-chat"),
    re_path(r"^rooms/directory/?$", finding_views.directory, name="directory"),
    re_path(r"^rooms/search/?$", finding_views.search, name="search"),
    re_path(ROOM + r"/?$", views.room, name="room"),
    re_path(ROOM + r"/(?P<seq>[0-9]{1,15})/?$", views.message, name="message"),
    re_path(ROOM + r"/join/?$", finding_views.join, name="join"),
    re_path(ROOM + r"/read/?$", views.mark_read, name="read"),
    re_path(ROOM + r"/mute/?$", views.mute_room, name="mute"),
    re_path(ROOM + r"/close/?$", views.close_room, name="close"),
    re_path(ROOM + r"/details/?$", views.room_details, name="details"),
    re_path(ROOM + r"/messages/?$", views.post_message, name="post-message"),
    re_path(MESSAGE + r"/?$", views.edit_message, name="edit-message"),
    re_path(MESSAGE + r"/react/?$", views.react, name="react"),
    re_path(MESSAGE + r"/delete/?$", views.delete_message, name="delete-message"),
    re_path(ROOM + r"/change/?$", views.change_room, name="change"),
    re_path(ROOM + r"/members/?$", views.add_members, name="add-members"),
    re_path(
        ROOM + r"/members/(?P<member_id>[0-9a-f]{24})/remove/?$",
        views.remove_member,
        name="remove-member",
    ),
    re_path(
        ROOM + r"/members/(?P<member_id>[0-9a-f]{24})/role/?$",
        views.change_role,
        name="change-role",
    ),
    re_path(ROOM + r"/leave/?$", views.leave_room, name="leave"),
]
