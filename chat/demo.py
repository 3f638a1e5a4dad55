"""What `manage.py seed_demo` fills a service with: people, and what they say to each other."""

import io
from collections.abc import Callable
from dataclasses import dataclass, field

from PIL import Image, ImageDraw

PEOPLE = {
    "alice": "Alice Nakamura",
    "bob": "Bob Okafor",
    "moira": "Moira Lindqvist",
    "carol": "Carol Reyes",
    "sara": "سارا احمدی",
    "navid": "نوید رستمی",
    "leila": "لیلا کریمی",
}
"""User names and full names. Carol is new: she is in no room yet."""


@dataclass(frozen=True)
class Said:
    """A message: its text, a file with its bytes, the number of the message that it answers."""

    by: str
    text: str = ""
    file: str = ""
    content: Callable[[], bytes] = bytes
    reply_to: int | None = None


@dataclass(frozen=True)
class Room:
    """A room that Alice makes. `unread` is how many of the last messages she has yet to read.

    A public one everybody finds in the directory.
    """

    name: str
    description: str
    members: list[str]
    said: list[Said]
    unread: int = 0
    is_public: bool = False


@dataclass(frozen=True)
class PrivateChat:
    """A chat of Alice's with one other."""

    other: str
    said: list[Said] = field(default_factory=list)
    unread: int = 0


def start_page() -> bytes:
    """A picture: the sketch of a page."""
    image = Image.new("RGB", (960, 600), "#eef2f1")
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((60, 50, 900, 550), 24, "white", "#c9d4d1", 2)
    draw.ellipse((100, 84, 128, 112), "#1f7a70")
    for number in range(3):
        draw.rounded_rectangle((640 + 84 * number, 92, 704 + 84 * number, 104), 6, "#c9d4d1")
    draw.rounded_rectangle((100, 180, 470, 212), 12, "#25383b")
    draw.rounded_rectangle((100, 228, 400, 260), 12, "#25383b")
    for number, end in enumerate((460, 440, 360)):
        draw.rounded_rectangle((100, 296 + 26 * number, end, 308 + 26 * number), 6, "#c9d4d1")
    draw.rounded_rectangle((100, 400, 250, 446), 14, "#1f7a70")
    draw.rounded_rectangle((530, 170, 860, 460), 18, "#d5e8e4")
    draw.ellipse((740, 210, 800, 270), "#f3c98b")
    draw.polygon(((530, 442), (640, 300), (720, 396), (770, 340), (860, 442)), "#7fb3aa")
    draw.rounded_rectangle((530, 420, 860, 460), 18, "#7fb3aa")
    return as_png(image)


def chart() -> bytes:
    """A picture: the bars of a week, which begins at the right."""
    image = Image.new("RGB", (960, 540), "#f6f4ef")
    draw = ImageDraw.Draw(image)
    for line in range(5):
        draw.line((80, 90 + 85 * line, 880, 90 + 85 * line), "#dcd8cf", 2)
    for day, height in enumerate((210, 260, 235, 300, 330, 120, 80)):
        right = 860 - 112 * day
        colour = "#1f7a70" if day < 5 else "#a8c9c3"
        draw.rounded_rectangle((right - 68, 430 - height, right, 430), 10, colour)
    return as_png(image)


def as_png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()


def redirects() -> bytes:
    return "".join(
        f"/pages/{number}.html,/articles/{number},301\r\n" for number in range(1, 215)
    ).encode()


BUSY_ROOM_MESSAGES = 150

BUILDS = Room(
    "Build log",
    "What the machines say",
    ["bob", "moira", "navid"],
    [
        Said(
            ("bob", "navid", "moira")[number % 3],
            f"Build {260 + number}: {'2 tests failed' if number % 7 == 0 else 'all is well'}, "
            f"{160 + number * 37 % 50} seconds",
        )
        for number in range(1, BUSY_ROOM_MESSAGES + 1)
    ],
    unread=12,
)

LUNCH = Room(
    "Lunch",
    "Where and when",
    ["bob", "moira"],
    [
        Said("alice", "Where do we eat today?"),
        Said("bob", "The noodle place has a new menu 🍜"),
        Said("moira", "I had noodles yesterday. And on Friday."),
        Said("bob", "They also do dumplings, you know.", reply_to=3),
        Said("alice", "Dumplings! 12:30 at the door?"),
        Said("moira", "12:45, I have a call until half past."),
        Said("bob", "12:45 it is. See you there!"),
    ],
    is_public=True,
)

BOOKS = Room(
    "باشگاه کتاب",
    "این ماه: «چشم‌هایش» از بزرگ علوی",
    ["sara", "leila"],
    [
        Said("leila", "تا فصل هفتم خواندم. راوی هنوز هم به آنچه می‌گوید شک دارد."),
        Said("alice", "I am reading it with a dictionary, slowly. But I like it a lot."),
        Said("sara", "عجله‌ای نیست! پنجشنبه فقط دربارهٔ پنج فصل اول حرف می‌زنیم."),
        Said("leila", "پس نان و پنیر و چای با من ☕"),
    ],
    unread=1,
    is_public=True,
)

RELAUNCH = Room(
    "Website relaunch",
    "New pages by the first of December",
    ["bob", "moira", "navid", "sara"],
    [
        Said(
            "navid",
            "I timed the first visit: **0.8 seconds** instead of 2.1. What is left of it is the "
            "font. This shows the text at once:\n"
            "```\n"
            "@font-face {\n"
            '  font-family: "Brand";\n'
            '  src: url("brand.woff2");\n'
            "  font-display: swap;\n"
            "}\n"
            "```",
        ),
        Said("alice", "Let us do that. What else is open before Friday?"),
        Said(
            "bob", "A redirect for each old address. All 214 of them:", "redirects.csv", redirects
        ),
        Said(
            "moira",
            "I went through them. The ones of the old shop lead to the start page now, and I would "
            "rather send people to the page that tells why there is no shop any more. Whoever kept "
            "a link for six years wants to know what has become of it, and does not want to "
            "search. It is one line for all of them, and I can write that page tomorrow.",
        ),
        Said("sara", "موافقم. متن فارسی آن را هم من می‌نویسم."),
        Said("moira", "The heading of the new start page breaks badly on my phone, by the way."),
        Said("bob", "Like this, with shorter words?", "start page.png", start_page),
        Said("moira", "Yes! No need for smaller letters then.", reply_to=9),
        Said("alice", "Good, agreed on all of it: https://test.example.org/start"),
    ],
)

MEETINGS = Room(
    "جلسه‌های هفتگی",
    "دستور جلسه و یادداشت‌ها",
    ["sara", "navid", "leila"],
    [
        Said("sara", "سلام به همه! جلسهٔ فردا ساعت ۱۰ است؟"),
        Said(
            "navid",
            "بله، ساعت ۱۰ صبح. دستور جلسه:\n"
            "۱. انتشار نسخهٔ ۲٫۴\n"
            "۲. نامه‌هایی که بی‌پاسخ مانده‌اند\n"
            "۳. برنامهٔ تعطیلات",
        ),
        Said("alice", "من هم می‌آیم. Is the room booked?"),
        Said("sara", "بله، اتاق B2 را تا ساعت ۱۱:۳۰ گرفته‌ام 🙂", reply_to=5),
        Said("leila", "این هم نمودار نامه‌های هفتهٔ گذشته:", "نمودار هفته.png", chart),
        Said(
            "leila",
            "همان‌طور که می‌بینید، بیشترِ نامه‌ها دربارهٔ تنظیم `MAX_UPLOAD_MB` است. اگر مقدار "
            "پیش‌فرض آن را در راهنما پررنگ‌تر بنویسیم و یک مثال هم بیاوریم، گمان می‌کنم نیمی از "
            "این پرسش‌ها دیگر پیش نمی‌آید.",
        ),
        Said("navid", "فکر خوبی است. نشانی راهنما: https://example.org/docs/settings"),
        Said("alice", "عالی است، می‌بینمتان!"),
    ],
)

ROOMS = [BUILDS, LUNCH, BOOKS, RELAUNCH, MEETINGS]

PRIVATE_CHATS = [
    PrivateChat(
        "bob",
        [
            Said("alice", "Can you look at the release notes before they go out?"),
            Said("bob", "Sure, send them over."),
            Said("alice", "Done. No hurry, tomorrow is fine."),
            Said("bob", "Read them: two small things, the rest is very good."),
        ],
    ),
    PrivateChat(
        "sara",
        [
            Said("alice", "سلام سارا! How do I say “release notes”?"),
            Said("sara", "سلام! «یادداشت‌های انتشار» خوب است."),
            Said("sara", "اگر خواستی، فردا با هم نگاهشان می‌کنیم."),
        ],
        unread=2,
    ),
]
