"""JSON web tokens taken apart and forged by hand, with no library to share a mistake with."""

import base64
import hashlib
import hmac
import json
import time


def read(token):
    """Return `(header, claims)` of a token, unverified."""
    return tuple(json.loads(_from_base64(part)) for part in token.split(".")[:2])


def forge(claims, *, key=b"not the key of the service", algorithm="HS256"):
    """Return a token with these claims, signed with a key of ours, or with none at all."""
    signed = ".".join(
        _to_base64(json.dumps(part).encode()) for part in ({"alg": algorithm, "typ": "JWT"}, claims)
    )
    if algorithm == "none":
        return f"{signed}."
    return f"{signed}.{_to_base64(hmac.new(key, signed.encode(), hashlib.sha256).digest())}"


def bad_tokens(good):
    """Return name → token that must not be believed, each made from the good one."""
    _, claims = read(good)
    head, payload, signature = good.split(".")
    changed = _to_base64(json.dumps({**claims, "exp": int(time.time()) + 10**6}).encode())
    return {
        "no JWT at all": "garbage",
        "signed with another key": forge(claims),
        "signed with an empty key": forge(claims, key=b""),
        "unsigned, alg none": forge(claims, algorithm="none"),
        "its claims changed": f"{head}.{changed}.{signature}",
        "its signature cut off": f"{head}.{payload}.",
    }


def _to_base64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _from_base64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
