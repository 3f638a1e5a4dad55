"""What people's devices are told of other people, beside the logs of their rooms."""

from typing import Any

from .models import User


def profile(user: User) -> dict[str, Any]:
    """How somebody is shown from now on: their name or their picture has changed."""
    return {
        "user": {
            "id": str(user.pk),
            "email": user.email,
            "username": user.username,
            "full_name": user.full_name,
            "avatar_url": user.avatar_url,
        }
    }
