"""Property tests: their settings, and the texts they try.

Put `@quick` above `@given`. The examples are the same in every run of the same code, a busy machine
fails no test, and nothing is left behind.
"""

import os
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir

# Hypothesis keeps its tables in a directory, which is deleted after the run with all the others.
set_hypothesis_home_dir(Path(os.environ["DATA_DIR"]) / "hypothesis")

quick = settings(
    max_examples=50,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    database=None,
)

HALF_SPACE = "\u200c"

# Half-spaces and joiners, direction marks, combining marks, digits, ligatures, ideographs, emoji.
DIFFICULT = (
    "\u200c\u200d\u200b\u202e\u2066\u00ad\u0301\u064b\u0640 \u00a0\n\t\x00١۱½ﬁﷺİßآيیكک漢か한😀🏴"
)
MARKUP = "@`~*_/.-+:'#"
LETTERS = "abzAZéسلام09"
SURROGATES = "\ud83d\ude00\ud800\udfff"


def texts(max_size: int = 100, *, surrogates: bool = False) -> st.SearchStrategy[str]:
    """Any text, and as often one of characters that rules trip over."""
    difficult = DIFFICULT + MARKUP + LETTERS
    # Not `characters(codec="utf-8")`: its table takes seconds to make, in each process.
    anything = st.characters(max_codepoint=0xD7FF) | st.characters(min_codepoint=0xE000)
    if surrogates:
        difficult, anything = difficult + SURROGATES, st.characters()
    return st.text(difficult, max_size=max_size) | st.text(anything, max_size=max_size)
