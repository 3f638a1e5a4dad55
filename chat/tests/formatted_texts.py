"""Texts that the server and the browser have to format alike, among them many a trick."""

from itertools import combinations

ORDINARY = [
    "Hello",
    "two\nlines",
    "two\n\nparagraphs   \nand a break\\\nand another",
    "*em* **strong** ~~gone~~ `code` ***both*** _em_ __strong__",
    "not * em * nor ** strong ** nor_em_here nor 2*3*4",
    "`` code with ` in it `` and ` spaces `",
    "- one\n- two\n  - nested\n    more\n\n- loose\n\n  paragraph",
    "1. one\n2. two\n\n7) seven\n8) eight",
    "1986. A great year",
    "> quoted\n> **more**\n\n> > nested\n- in\n  > list",
    "```python\nif a < b:\n    print('*no*')\n```\nafter",
    "~~~\ntildes\n```\n~~~",
    "text\n```\nright after",
    "# no heading\n\n| no | table |\n|---|---|\n| a | b |\n\n***\n\n---\n\nsetext\n===",
    "    not indented code",
    "سلام **دنیا**، خوبی؟ `code` در متن",
    "- یک\n- two\n\n> نقل قول\n\nmixed متن text",
    "😀 *👩‍👩‍👧* ~~🏳️‍🌈~~ ¯\\_(ツ)_/¯",
]
LINKS = [
    "see https://example.org/a?b=c&d=e#f. And www.example.org",
    "(https://en.wikipedia.org/wiki/A_(b)) https://x.org/__init__.py, *https://x.org/*",
    "https://fa.wikipedia.org/wiki/تهران، و HTTPS://EXAMPLE.ORG؟",
    "[a link](https://example.org) [mail](mailto:a@b.example) <https://auto.example> <a@b.example>",
    '[titled](https://example.org "a *title*") [https://example.org](https://evil.example)',
    "[*formatted* `link` @bob](https://example.org) @bob",
    "[spaces](<https://example.org/a b>) [paren](https://example.org/a(b)c)",
    "![image](https://example.org/a.png) [ref][1]\n\n[1]: https://example.org",
    "xhttps://example.org https:// http://a http://[::1]:80/ http://a:99999/ http://%zz/ https://\\x",
    "https://xn--80ak6aa92e.com https://аррӏе.com [apple](https://аррӏе.com)",
]
TRICKS = [
    "<script>alert(1)</script> <img src=x onerror=alert(1)> <b>b</b> </div></li>",
    "[x](javascript:alert(1)) [x](JaVaScRiPt:alert(1)) [x](java\nscript:alert(1))",
    "[x](data:text/html,<script>alert(1)</script>) [x](vbscript:x) [x](file:///etc/passwd)",
    "[x](&#106;avascript:alert(1)) [x](&#x6A;avascript&colon;alert(1)) [x](javascript&colon;x)",
    "<javascript:alert(1)> <data:text/html,x> [x](//evil.example) [x](/rooms/new) [x](#y)",
    "[x](https://a.example/\"onmouseover=alert(1)) [x](<https://a.example/'><b>>)",
    "&lt;b&gt; &amp; &quot; &#60;script&#62; &nbsp;&copy;",
    "\u202eevil\u202c \u2067abc\u2069 [\u202etxt](https://example.org/\u202egpj.exe)",
    "https://example.org\u202ecod.evil \u200bhttps://\u200bexample.org \ufeffhttps://e.example\ufeff",
    "`\u202e` @\u202ebob @bob\u202e",
    "```\nunclosed <fence> **",
    "> ```\n> unclosed in a quote\nout",
    "\\*not em\\* \\<b\\> \\[x\\](https://example.org) \\\\ \\a",
    "\x01\x7f control \ufffd \U000e0041",
    "[[[[x](https://a.example)](https://b.example)](https://c.example)]",
    "**a *b ~~c `d** e* f~~ g`",
    "~~~~a~~~~ ~~~b~~~ *****a***** _*_*_",
    "*\u00a0a* **\u3000b** *‎x* (*y*) “*z*” ،*پ*،",
]
MENTIONS = [
    "@bob @Bob @BOB, (@bob) @bob. @bob's @bobby @bob_ x@bob.example /@bob @bob-x @",
    "@ann lee @Ann Lee @ann  lee @all @everybody `@bob` ```@bob```",
    "@علی سلام @علی‌رضا",
    "**@bob** [@bob](https://example.org) https://example.org/@bob",
]
LONG = [
    sign * (8_000 // len(sign))
    for sign in [
        *("*", "_", "~~", "`", "[", "![", "](", ">", "<", "\\", "@", "- ", "1. ", "> - "),
        *("*a ", "**a *b", "_a", "`a", "[a](", "[a](b", "[](", "<http://", "http://a ", "@bob "),
        *("a\n", "a\n\n", "```\n", "- a\n", "> a\n", "~~~a\n", "\\*", "&#1;", "é́", "\u202e"),
    ]
]
NESTED = [
    "> " * 100 + "deep",
    "\n".join("  " * depth + "- deep" for depth in range(60)),
    "*" * 60 + "deep" + "*" * 60,
    "[" * 60 + "deep" + "](https://example.org)" * 60,
]
PIECES = ["*", "**", "`", "[a](https://b.example)", "\n> ", "\n- ", "~~", " x ", "@bob", "\n```\n"]
COMBINED = ["".join(pieces) + "x" for pieces in combinations(PIECES, 4)]

NAMES = ["bob", "Ann Lee", "علی", "all"]
TEXTS = [*ORDINARY, *LINKS, *TRICKS, *MENTIONS, *LONG, *NESTED, *COMBINED]
