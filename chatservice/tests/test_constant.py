"""`{% constant %}`: rendered once for each language, and only what is the same for everybody."""

import pytest
from django.template import Context, Template, TemplateSyntaxError
from django.utils import translation


def test_it_follows_the_language():
    page = Template(
        "{% load constant i18n %}{% constant %}<b>{% translate 'Reply' %}</b>{% endconstant %}"
    )

    said = []
    for language in ("en", "fa", "en"):
        with translation.override(language):
            said.append(page.render(Context()))

    assert said == ["<b>Reply</b>", "<b>پاسخ</b>", "<b>Reply</b>"]


@pytest.mark.parametrize(
    "text",
    [
        "{{ name }}",
        "{% if name %}x{% endif %}",
        "{% csrf_token %}",
        "{% url 'index' %}",
        "{% translate name %}",
        "{% include name %}",
        "{% include 'chat/partials/_file.html' %}",
    ],
)
def test_what_differs_from_reader_to_reader_is_refused(text):
    with pytest.raises(TemplateSyntaxError, match="not the same for everybody"):
        Template("{% load constant i18n %}{% constant %}" + text + "{% endconstant %}")
