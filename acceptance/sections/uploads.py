"""Files: sent in, fetched by those who may see them, and harmless to whoever opens them."""

import struct
import zlib
from urllib.parse import unquote, urljoin, urlsplit

from acceptance.people import answer
from acceptance.shapes import AtLeast, ClientError, OneOf, Shape, a_text, containing
from acceptance.walk import step

SEEN_BY_NOBODY_ELSE = Shape("401, 403 or 404", lambda status: status in (401, 403, 404))
UPLOADED = (OneOf(200, 201), AtLeast(file_url=a_text))
HOSTILE_NAMES = (
    "../../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "/etc/passwd",
    "C:\\autoexec.bat",
    ".htaccess",
    "..",
    ".",
    "",
    " ",
    "a\0b.png",
    "a\r\nSet-Cookie: x=y.png",
    'quote".png',
    "semi;colon.png",
    "percent%2e%2e%2fslash.png",
    "<img src=x onerror=alert(1)>.png",
    "n" * 300 + ".png",
    "کارت‌ها.png",
    "👩‍👩‍👧.png",
    "\u202egnp.exe",
    "CON",
    "page.html",
)


def a_png(width=2, height=2):
    """Return the bytes of a small, real PNG."""

    def chunk(kind, data):
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress((b"\0" + b"\x20\x80\xff" * width) * height)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def upload(person, name, data, kind="application/octet-stream"):
    return person.post("/chat/upload_media/", files={"file": (name, data, kind)})


def fetch(walk, person, file_url, *, anonymously=False):
    """Fetch a file by the `file_url` it was given, relative or not."""
    url = urljoin(walk.url + "/chat/upload_media/", file_url)
    path = url.removeprefix(walk.url)
    return person.anonymous("GET", path) if anonymously else person.get(path)


def name_in(file_url):
    return unquote(urlsplit(file_url).path.rpartition("/")[2])


@step
def sending_a_file(walk):
    alice = walk.alice
    picture = a_png()
    for path in ("/chat/upload_media/", "/chat/upload_media"):
        response = alice.post(path, files={"file": ("photo.png", picture, "image/png")})
        if not walk.check(f"POST {path} answers {{file_url}}", answer(response), UPLOADED):
            return
    file_url = response.json()["file_url"]
    walk.check("which ends in the name", name_in(file_url), "photo.png")
    walk.check(
        "and is an address of this service",
        urlsplit(file_url).netloc in ("", urlsplit(walk.url).netloc),
        True,
    )
    fetched = fetch(walk, alice, file_url)
    walk.check("the owner can fetch it", fetched.status_code, 200)
    walk.check("byte for byte", fetched.content == picture, True)
    walk.check("as what it is", fetched.headers.get("Content-Type"), containing("image/png"))
    walk.check("with nosniff", fetched.headers.get("X-Content-Type-Options"), "nosniff")
    walk.check(
        "with a Content-Disposition",
        fetched.headers.get("Content-Disposition"),
        containing("inline"),
    )
    walk.check(
        "with a sandbox", fetched.headers.get("Content-Security-Policy"), containing("sandbox")
    )
    for name, person, anonymously in (
        ("a stranger", walk.carol, False),
        ("a room mate it was not posted to", walk.bob, False),
        ("nobody in particular", alice, True),
    ):
        status = fetch(walk, person, file_url, anonymously=anonymously).status_code
        walk.check(f"{name} cannot fetch it", status, SEEN_BY_NOBODY_ELSE)

    room = alice.make_room(walk.bob)
    alice.post_message(room["id"], file_url).raise_for_status()
    shared = fetch(walk, walk.bob, file_url)
    walk.check("posted in a room, its members can fetch it", shared.status_code, 200)
    walk.check("byte for byte too", shared.content == picture, True)
    walk.check(
        "a stranger still cannot",
        fetch(walk, walk.carol, file_url).status_code,
        SEEN_BY_NOBODY_ELSE,
    )
    theirs = walk.carol.make_room()
    walk.carol.post_message(theirs["id"], file_url)
    walk.check(
        "posting the address of a file of others opens nothing",
        fetch(walk, walk.carol, file_url).status_code,
        SEEN_BY_NOBODY_ELSE,
    )


@step
def names_of_files(walk):
    alice = walk.alice
    first, second = (upload(alice, "same.txt", data).json()["file_url"] for data in (b"1", b"2"))
    walk.check("one name twice is two addresses", first != second, True)
    kept = [fetch(walk, alice, url).content for url in (first, second)]
    walk.check("nothing is overwritten", kept, [b"1", b"2"])
    for name in HOSTILE_NAMES:
        response = alice.post(
            "/chat/upload_media/",
            data=_multipart(name.encode(), b"hello"),
            headers={"Content-Type": "multipart/form-data; boundary=here"},
        )
        got = answer(response)
        if not walk.check(
            f"a file named {name!r:.40}", got, OneOf(UPLOADED, ClientError(400, 422))
        ):
            continue
        if response.status_code in (200, 201):
            file_url = response.json()["file_url"]
            safe = name_in(file_url)
            walk.check(
                f"a file named {name!r:.40}: its address ends in a safe name",
                safe,
                Shape(
                    "no path, no control character, no markup, 1 to 255 bytes",
                    lambda safe: (
                        not set(safe) & set('/\\\0\r\n<>"\u202e')
                        and safe not in (".", "..")
                        and 1 <= len(safe.encode()) <= 255
                    ),
                ),
            )
            fetched = fetch(walk, alice, file_url)
            walk.check(
                "and it can be fetched", (fetched.status_code, fetched.content), (200, b"hello")
            )


def _multipart(name, data):
    """Return a form as a hostile client writes it: the name goes in unescaped."""
    head = b'--here\r\nContent-Disposition: form-data; name="file"; filename="' + name + b'"\r\n'
    return head + b"Content-Type: text/plain\r\n\r\n" + data + b"\r\n--here--\r\n"


@step
def kinds_of_files(walk):
    script = b"<html><script>alert(document.domain)</script></html>"
    drawing = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
    cases = (
        ("page.html", script, "text/html"),
        ("drawing.svg", drawing, "image/svg+xml"),
        ("not-a-picture.png", script, "image/png"),
    )
    for name, data, claimed in cases:
        response = upload(walk.alice, name, data, claimed)
        if not walk.check(f"{name} claimed {claimed!r}", answer(response), UPLOADED):
            continue
        fetched = fetch(walk, walk.alice, response.json()["file_url"])
        shown = fetched.headers.get("Content-Disposition", "").lower().startswith("inline")
        kind = fetched.headers.get("Content-Type", "").split(";")[0]
        walk.check(
            f"{name} claimed {claimed!r}: comes back as no page to open",
            (shown, kind),
            Shape(
                "an attachment, or inline as something that runs nothing",
                lambda got: not got[0] or got[1] == "text/plain",
            ),
        )
        walk.check("with nosniff", fetched.headers.get("X-Content-Type-Options"), "nosniff")


@step
def bad_uploads(walk):
    alice = walk.alice
    path = "/chat/upload_media/"
    no_file = ClientError(422, naming="file")
    walk.check("no file", answer(alice.post(path)), no_file)
    walk.check("a form without it", answer(alice.post(path, files={"other": ("a", b"b")})), no_file)
    walk.check(
        "a text in its place", answer(alice.post(path, files={"file": (None, "a")})), no_file
    )
    walk.check("JSON", answer(alice.post(path, json={"file": "a"})), ClientError(400, 415, 422))
    form = "multipart/form-data"
    for name, content_type, body in (
        ("a form without a boundary", form, b"--here\r\n"),
        (
            "a form that breaks off",
            f"{form}; boundary=here",
            b"--here\r\nContent-Disposition: form-",
        ),
        ("a form of nothing", f"{form}; boundary=here", b""),
        ("a form of noise", f"{form}; boundary=here", bytes(range(256)) * 40),
        ("a boundary of 5,000 characters", f"{form}; boundary={'x' * 5_000}", b"--x\r\n"),
        ("a boundary that is no text", f"{form}; boundary=\u00e9\u00ff", b"--x\r\n"),
    ):
        response = alice.post(
            path, data=body, headers={"Content-Type": content_type.encode("latin-1")}
        )
        walk.check(name, answer(response), ClientError())
    empty = upload(alice, "empty.txt", b"")
    walk.check("an empty file", answer(empty), OneOf(UPLOADED, ClientError(400, 422)))
    limit = walk.max_upload_mb * 1024 * 1024
    walk.check(
        f"a file above {walk.max_upload_mb} MB",
        answer(upload(alice, "large.bin", b"\0" * (limit + 1024 * 1024))),
        ClientError(413),
    )
    missing = "/media/0123456789abcdef01234567/photo.png"
    walk.check("a file that is not there", alice.get(missing).status_code, 404)
