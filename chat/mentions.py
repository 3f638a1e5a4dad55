"""Who is called in a text: `@username` and `@all`, outside code and e-mail addresses."""

from collections.abc import Iterable

import regex

from accounts.names import USERNAME_LENGTH, key_of

ALL = "all"
"""What stands for everybody among the ids that are stored with a message."""

MAX_MENTIONS = 100
"""Places with an `@` in one message that are looked at."""

MAX_PARTS = 12
"""Words and signs that a user name may consist of: more do not make it longer here."""

CODE = regex.compile(
    # Blocks from one line of ``` or ~~~ to the next, or to the end; then spans in as many ` each.
    r"^ {0,3}(?P<fence>`{3,}|~{3,})[^\n]*(?:\n(?! {0,3}(?P=fence))[^\n]*)*(?:\n[^\n]*)?"
    r"|(?<!`)(?P<ticks>`+)(?!`)(?:(?!\n[ \t]*\n).)+?(?<!`)(?P=ticks)(?!`)",
    regex.MULTILINE | regex.DOTALL,
)
# Not after a word, as in an e-mail address, nor in the middle of a URL's path.
AT = regex.compile(r"(?<![\w.@/+\-])@(?=[^\s@])")
PART = regex.compile(r"[\w\u200c\u200d]+|[^\w\s]|[^\S\n]")


def mentions_in(text: str) -> list[list[str]]:
    """For each mention, the keys of the names that it may mean, the longest first.

    User names may have spaces and signs: how far one goes is known only from who is there.
    """
    if "@" not in text:
        return []
    plain = CODE.sub(lambda match: " " * len(match[0]), text)
    found = []
    for match in AT.finditer(plain):
        names = list(_beginnings(plain, match.end()))
        found.append(list(dict.fromkeys(key_of(name) for name in reversed(names))))
        if len(found) == MAX_MENTIONS:
            break
    return found


def _beginnings(text: str, start: int) -> Iterable[str]:
    end, limit = start, min(len(text), start + USERNAME_LENGTH)
    for _number in range(MAX_PARTS):
        part = PART.match(text, end, limit)
        if part is None or (part.end() == limit and limit < len(text) and part[0].isalnum()):
            return
        end = part.end()
        if not part[0].isspace():
            yield text[start:end]


def resolve(mentions: list[list[str]], people: dict[str, str]) -> list[str]:
    """The ids of those mentioned, each once. `people` are members' ids by the keys of their names.

    `ALL` is one of them where everybody is meant; somebody called so goes before that.
    """
    known = {ALL: ALL} | people
    named = (next((known[key] for key in keys if key in known), None) for keys in mentions)
    return list(dict.fromkeys(user_id for user_id in named if user_id is not None))
