"""Rules of the house that the linter enforces: that its configuration knows all it should."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
REALTIME = ROOT / "chatservice" / "realtime"
FOR_EVERYBODY = {  # no browser hears of what these do
    *("listen", "session_ended", "has_peers", "is_cut_off"),
    *("on_missed", "on_shared", "share", "transport_of", "worker_number"),
}


def banned():
    with (ROOT / "pyproject.toml").open("rb") as file:
        ruff = tomllib.load(file)["tool"]["ruff"]
    return set(ruff["lint"]["flake8-tidy-imports"]["banned-api"])


def test_whatever_reaches_browsers_is_banned_outside_of_actions():
    package = ast.parse((REALTIME / "__init__.py").read_text())
    functions = {
        node.name
        for node in package.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name[0] != "_"
    }

    assert "publish" in functions
    assert {f"chatservice.realtime.{name}" for name in functions - FOR_EVERYBODY} <= banned()


@pytest.mark.parametrize(
    "code",
    [
        "from chatservice import realtime\n\nrealtime.publish()\n",
        "from chatservice.realtime import publish\n\npublish()\n",
        "import chatservice.realtime\n\nchatservice.realtime.end_sessions()\n",
        "from chatservice.realtime.server import sio\n\nsio.emit()\n",
        "from chatservice.realtime import server\n\nserver.sio.emit()\n",
        "from chatservice.realtime.channel_manager import ChannelLayerManager\n\n"
        "ChannelLayerManager()\n",
    ],
)
@pytest.mark.parametrize(
    ("path", "refused"),
    [("chat/api.py", True), ("chat/sockets.py", True), ("chat/actions/messages.py", False)],
)
def test_the_linter_catches_a_door_that_tells_browsers(code, path, refused):
    result = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--select=TID", f"--stdin-filename={path}", "-"],
        cwd=ROOT,
        input=code,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ("TID251" in result.stdout) == refused, result.stdout + result.stderr


def test_every_door_may_run_an_action_on_the_home_loop():
    code = "from chatservice.realtime.loop import run\n\nrun()\n"
    result = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--stdin-filename=chat/api.py", "-"],
        cwd=ROOT,
        input=code,
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 0, result.stdout
