"""What people write to trick a browser or a reader: markup, templates, addresses, directions."""

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><img src=x onerror=alert(1)>',
    "</template></title><svg onload=alert(1)>",
    "</template><script>alert(1)</script>",
    'https://example.org/" onclick="alert(1)',
    "/media/000000000000000000000000/<img src=x onerror=alert(1)>.png",
    "javascript:alert(1)",
    "{{ 7|add:7 }}{% debug %}",
    "%(actor)s %s $& {{ 7|add:7 }}",
    "&lt;b&gt;",
    "\u202eevil\u202c \u2067abc",
]
