"""What people write, formatted: a safe subset of Markdown, as HTML and as plain text.

`static/js/models/formatting.js` does the same in the browser, rule by rule, for what arrives live.
There is no HTML, no image, no heading and no table; links lead to http, https and mailto only.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from html import escape

import nh3
from django.utils.safestring import SafeString, mark_safe
from linkify_it import LinkifyIt
from markdown_it import MarkdownIt
from markdown_it.token import Token

RULES = [
    *("blockquote", "fence", "list"),
    *("autolink", "backticks", "emphasis", "escape", "link", "linkify", "newline", "strikethrough"),
]
DIRECTED = {"blockquote", "li", "p"}
TAGS = DIRECTED | {"a", "br", "code", "em", "mark", "ol", "pre", "s", "strong", "ul"}
ATTRIBUTES = {
    "a": {"href", "rel", "target", "title"},
    "mark": {"class"},
    "ol": {"start"},
    **{tag: {"dir"} for tag in DIRECTED | {"code", "pre"}},
}
MARKS = re.compile(r"[\[*_~`<\\]")
MOST_MARKS = 1_000
"""With more of them a text is shown as it is: what is nested without end takes long to parse."""

SAFE_LINK = re.compile(r"https?://|mailto:", re.IGNORECASE)

# Spaces and what cannot be seen end an address; the punctuation of the sentence is none of it.
UNSEEN = r"\x00-\x20\x7f-\xa0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff"
ADDRESS = re.compile(rf"""^//[^{UNSEEN}<>"`]*[^{UNSEEN}<>"`.,;:!?'()*_~\[\]{{}}،؛؟»”]""")


def formatted(text: str, names: Collection[str] = ()) -> SafeString:
    """The HTML of a text; `@name` of one of the `names` is marked as a mention."""
    html = "".join(_html(_tokens(text), _mention_of(names)))
    # It is safe as it is made. Were that ever wrong, this lets through nothing but what is named.
    clean = nh3.clean(
        html,
        tags=TAGS,
        attributes=ATTRIBUTES,
        link_rel=None,
        url_schemes={"http", "https", "mailto"},
    )
    return mark_safe(clean)  # noqa: S308


def plain(text: str) -> str:
    """The words of a text without their formatting, for where there is but one line for them."""
    return "".join(token.content + _line_end(token) for token in _tokens(text))


def _tokens(text: str) -> list[Token]:
    """The blocks of a text, with what is in a line in the line's place."""
    tokens: list[Token] = []
    parser = PLAIN_PARSER if len(MARKS.findall(text)) > MOST_MARKS else PARSER
    for token in parser.parse(text):
        tokens += (token.children or []) if token.type == "inline" else [token]
    return tokens


def _mention_of(names: Collection[str]) -> re.Pattern[str] | None:
    """What finds the mentions in a text; the longest name goes first, and none ends in a word."""
    if not names:
        return None
    longest_first = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    return re.compile(rf"(?<![\w.@/+-])(@(?:{longest_first}))(?!\w)", re.IGNORECASE)


def _html(tokens: Sequence[Token], mention: re.Pattern[str] | None) -> Iterator[str]:
    open_tags: list[str] = []
    for index, token in enumerate(tokens):
        tag = token.tag
        if token.type == "fence":
            yield f'<pre dir="ltr"><code>{escape(token.content)}</code></pre>'
        elif token.type == "code_inline":
            yield f'<code dir="ltr">{escape(token.content)}</code>'
        elif tag == "br":
            yield "<br>"
        elif tag and token.nesting > 0 and not token.hidden:
            yield f"<{tag}{_attributes(token, tokens[index:], open_tags)}>"
            open_tags.append(tag)
        elif tag and token.nesting < 0 and not token.hidden:
            yield f"</{open_tags.pop()}>"
        elif not tag:
            parts = (
                mention.split(token.content)
                if mention and "a" not in open_tags
                else [token.content]
            )
            for number, part in enumerate(parts):
                yield f'<mark class="mention">{escape(part)}</mark>' if number % 2 else escape(part)
        yield _line_end(token)


def _attributes(token: Token, ahead: Sequence[Token], open_tags: Sequence[str]) -> str:
    tag = token.tag
    if tag == "a":
        href = str(token.attrs["href"])
        end = next(index for index, each in enumerate(ahead) if each.type == "link_close")
        words = "".join(each.content + _line_end(each) for each in ahead[:end])
        # Whoever is shown other words than the address gets to see where these lead.
        title = "" if words == href else f' title="{escape(href)}"'
        return f' href="{escape(href)}" target="_blank" rel="noopener nofollow"{title}'
    if tag == "ol":
        return f' start="{token.attrs.get("start", 1)}"'
    # A block's own words decide where it begins; what is in a quote or an item goes with it.
    is_directed = tag in DIRECTED and (tag != "p" or not open_tags)
    return ' dir="auto"' if is_directed else ""


def _line_end(token: Token) -> str:
    """Lines end after blocks and breaks in the text, too, for who reads it without the tags."""
    return "\n" if token.tag == "br" or token.block and token.nesting < 1 else ""


def _parser() -> MarkdownIt:
    parser = MarkdownIt("zero", {"breaks": True, "linkify": True}).enable(RULES)
    parser.core.ruler.disable("linkify")  # which guesses at more than what begins with http
    parser.linkify = LinkifyIt({"http:": {"validate": ADDRESS}, "https:": "http:"})
    # An address stays as it was written: browsers make the same of it, wherever it comes from.
    parser.normalizeLink = parser.normalizeLinkText = lambda url: url  # type: ignore[method-assign]
    parser.validateLink = lambda url: bool(SAFE_LINK.match(url))  # type: ignore[method-assign]
    return parser


PARSER = _parser()
PLAIN_PARSER = MarkdownIt("zero", {"breaks": True}).enable("newline")
