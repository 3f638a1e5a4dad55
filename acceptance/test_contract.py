"""The whole contract, walked against real servers with both official Socket.IO clients."""

import shutil
import subprocess
import sys

import pytest

from acceptance.service import CHECKOUT, RUNSERVER, UVICORN, Service

LONGEST_WALK = 900  # seconds; only so that a hanging walk ends some day


def walk(*command):
    """Run a walk; fail with the lines that say what did not hold."""
    done = subprocess.run(
        command,
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=LONGEST_WALK,
        stdin=subprocess.DEVNULL,
    )
    lines = done.stdout.splitlines()
    if done.returncode != 0:
        broken = [line for line in lines if line.startswith("FAIL")]
        pytest.fail("\n".join([*broken, *lines[-1:], done.stderr]), pytrace=False)
    assert int(lines[-1].split(" passed")[0]) > 0, "a walk that checked nothing"


def walk_in_python(url, *options):
    walk(sys.executable, "acceptance/contract_walk.py", url, *options)


def walk_in_javascript(url):
    node = shutil.which("node")
    assert node, "Node is missing: `make setup` brings it"
    walk(node, "acceptance/contract_walk.mjs", url)


def assert_nothing_raised(log):
    """Nothing that a client sends may raise in the server: a traceback is for our own mistakes."""
    raised = log.find("Traceback")
    assert raised == -1, log[max(0, raised - 1_000) : raised + 3_000]


def test_contract_in_python(server):
    before = len(server.output())
    walk_in_python(server.url)
    assert_nothing_raised(server.output()[before:])


@pytest.mark.faults
def test_contract_without_the_fast_lane(start_server):
    server = start_server(FAST_LANE="off")
    walk_in_python(server.url, "--only", "accounts", "rooms", "messages", "hostile")
    assert_nothing_raised(server.output())


def test_contract_in_javascript(server):
    before = len(server.output())
    walk_in_javascript(server.url)
    assert_nothing_raised(server.output()[before:])


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("data")


@pytest.mark.faults
@pytest.mark.parametrize("command", [UVICORN, RUNSERVER], ids=["uvicorn", "runserver"])
def test_sockets_under_another_server(command, data_dir):
    with Service(data_dir, command=command) as service:
        service.migrate()
        service.start()
        walk_in_python(service.url, "--only", "sockets")
        walk_in_javascript(service.url)
        assert_nothing_raised(service.log())
