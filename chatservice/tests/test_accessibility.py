"""axe on every page of the demo: in both languages and themes, on wide and narrow screens.

`make test` shows each page in one of the languages, `make test-faults` in the other.
"""

import json

import pytest
from django.core.management import call_command

from conftest import ROOT
from screenshots.views import LANGUAGES, SIZES, VIEWS, Visitors

pytestmark = pytest.mark.chromium

AXE = ROOT / "node_modules/axe-core/axe.min.js"
PASSWORD = "only for this test"

# The rules of WCAG 2.2, A and AA, and of good practice; of each one that is broken, where.
ALL_RULES = '{ resultTypes: ["violations"] }'
CONTRAST = '{ runOnly: ["color-contrast", "link-in-text-block"] }'  # what depends on the theme
RUN = """async () => {
    const { violations } = await axe.run(%s)
    return violations.map(({ id, help, nodes }) => [id, help, nodes.map((node) => node.html)])
}"""

ENGLISH, PERSIAN = LANGUAGES
HALVES = {ENGLISH: (VIEWS[0::2], VIEWS[1::2]), PERSIAN: (VIEWS[1::2], VIEWS[0::2])}
"""The views in a language: those of `make test`, and the others."""


@pytest.fixture
def visitors(chromium, server, settings, language):
    settings.ALLOWED_HOSTS = settings.LOCAL_HOSTS  # Django's test runner has added its own
    call_command("seed_demo", password=PASSWORD, verbosity=0)
    return Visitors(chromium, server.url, language, PASSWORD)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("half", [0, pytest.param(1, marks=pytest.mark.faults)])
def test_axe_finds_nothing(visitors, language, half):
    found = []
    # Colours do not depend on the language: in the dark, one of them is enough.
    rules_of = {"light": ALL_RULES} if half == 0 else {"light": ALL_RULES, "dark": CONTRAST}
    for view in HALVES[language][half]:
        page = visitors.open(view)
        page.evaluate(AXE.read_text())
        for size, viewport in SIZES.items():
            page.set_viewport_size(viewport)
            for theme, rules in rules_of.items():
                page.emulate_media(color_scheme=theme)
                broken = page.evaluate(RUN % rules)
                found += [(view.name, size, theme, *each) for each in broken]
        page.context.close()

    assert found == [], json.dumps(found, indent=1, ensure_ascii=False)
