"""Where a client calls from."""

from functools import lru_cache
from ipaddress import IPv4Address, ip_address, ip_network

from django.http import HttpRequest

USER_AGENT_LENGTH = 256


def client_address(request: HttpRequest | None) -> str:
    """The address of the other end as the server saw it; empty if there is none.

    No header is believed here: anybody can send an X-Forwarded-For. Behind a proxy, the server in
    front of Django is told to take the proxy's word (`--proxy-headers` of Daphne and uvicorn), and
    this is the client's address again.
    """
    return str(request.META.get("REMOTE_ADDR") or "")[:45] if request else ""


def user_agent(request: HttpRequest | None) -> str:
    """The program that a client says it is, cut to what is worth keeping."""
    return str(request.META.get("HTTP_USER_AGENT") or "")[:USER_AGENT_LENGTH] if request else ""


@lru_cache(maxsize=10_000)
def network_of(address: str) -> str:
    """What counts as one place: an IPv4 address, or the /64 that one IPv6 customer is given.

    Text that is no address stands for itself.
    """
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, IPv4Address):
        return str(ip)
    return str(ip.ipv4_mapped or ip_network((ip.packed, 64), strict=False))
