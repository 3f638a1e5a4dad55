"""The hot address of accounts, for the viewsets of `api` and the fast lane alike."""

from chatservice.endpoints import Call, Reply

from .serializers import PersonSerializer


async def show_me(call: Call) -> Reply:
    """Who the person is."""
    return Reply(PersonSerializer(call.user).data)
