"""Which program and system a log-in came from, in words that people know."""

import re

SYSTEMS = [
    ("Android", r"Android"),
    ("iOS", r"iPhone|iPad"),
    ("Windows", r"Windows"),
    ("macOS", r"Mac OS X|Macintosh"),
    ("ChromeOS", r"CrOS"),
    ("Linux", r"Linux|X11"),
]
# The first that matches: most browsers also claim to be those further down.
BROWSERS = [
    ("Edge", r"\bEdgA?/"),
    ("Opera", r"\bOPR/"),
    ("Samsung Internet", r"\bSamsungBrowser/"),
    ("Firefox", r"\b(Firefox|FxiOS)/"),
    ("Chrome", r"\b(HeadlessChrome|Chrome|CriOS)/"),
    ("Safari", r"\bSafari/"),
]


def program_name(user_agent: str) -> str:
    """A name such as "Firefox · Windows" for a User-Agent header.

    What is no browser stands for itself, up to its first space.
    """
    browser = _first(BROWSERS, user_agent)
    if not browser:
        return user_agent.partition(" ")[0]
    return " · ".join(filter(None, [browser, _first(SYSTEMS, user_agent)]))


def _first(names: list[tuple[str, str]], user_agent: str) -> str:
    return next((name for name, mark in names if re.search(mark, user_agent)), "")
