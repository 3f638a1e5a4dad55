"""`GET /docs`: interactive API documentation that needs nothing from elsewhere."""

import re
from urllib.parse import urljoin, urlsplit

from acceptance.people import answer
from acceptance.shapes import AtLeast, Shape, a_text, containing
from acceptance.walk import step

CONTRACT_PATHS = {
    "/auth/signup": ["post"],
    "/auth/login": ["post"],
    "/auth/token": ["post"],
    "/auth/users/me": ["get"],
    "/chat/private_chats/": ["get"],
    "/chat/chat_rooms/": ["post"],
    "/chat/chat_rooms/{}": ["get"],
    "/chat/chat_rooms/{}/messages": ["get", "post"],
    "/chat/upload_media/": ["post"],
}


@step
def documentation_is_served(walk):
    visitor = walk.alice
    page = visitor.anonymous("GET", "/docs")
    walk.check("GET /docs answers 200", page.status_code, 200)
    walk.check("it is a page", page.headers.get("Content-Type"), containing("text/html"))
    walk.check(
        "it is interactive documentation",
        page.text,
        Shape("Swagger UI or Redoc", lambda text: re.search("swagger|redoc", text, re.I)),
    )
    with_slash = visitor.anonymous("GET", "/docs/")
    walk.check("GET /docs/ answers 200 too", with_slash.status_code, 200)

    assets = re.findall(r"<(?:script|link)\b[^>]*?\b(?:src|href)=[\"']([^\"']+)", page.text)
    walk.check("it loads something", len(assets), Shape("1 or more", lambda count: count >= 1))
    for asset in assets:
        url = urlsplit(urljoin(f"{walk.url}/docs", asset))
        if url.scheme == "data":
            continue
        walk.check(f"{asset} is our own", url.netloc, urlsplit(walk.url).netloc)
        path = f"{url.path}?{url.query}" if url.query else url.path
        walk.check(f"{asset} is there", visitor.anonymous("GET", path).status_code, 200)


@step
def schema_describes_the_contract(walk):
    response = walk.alice.anonymous("GET", "/openapi.json")
    if not walk.check(
        "GET /openapi.json answers 200",
        answer(response),
        (200, AtLeast(openapi=a_text, paths=AtLeast())),
    ):
        return
    described = {
        re.sub(r"\{[^}]*\}", "{}", path).rstrip("/"): operations
        for path, operations in response.json()["paths"].items()
    }
    for path, methods in CONTRACT_PATHS.items():
        operations = described.get(path.rstrip("/"), {})
        for method in methods:
            walk.check(f"it describes {method.upper()} {path}", method in operations, True)
