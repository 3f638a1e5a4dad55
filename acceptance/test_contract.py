"""The whole contract, walked against real servers with both official Socket.IO clients."""

import os
import shutil
import subprocess
import sys

import pytest

from acceptance.service import CHECKOUT, RUNSERVER, UVICORN, Service

LONGEST_WALK = 900  # seconds; only so that a hanging walk ends some day


def walk(*command):
    """Run a walk and return its report; fail with the lines that say what did not hold."""
    done = subprocess.run(
        command,
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=LONGEST_WALK,
        stdin=subprocess.DEVNULL,
    )
    lines = done.stdout.splitlines()
    broken = [line for line in lines if line.startswith("FAIL")]
    assert done.returncode == 0, "\n".join([*broken, *lines[-1:], done.stderr])
    assert int(lines[-1].split(" passed")[0]) > 0, "a walk that checked nothing"
    return lines


def walk_in_python(url, *options):
    return walk(sys.executable, "acceptance/contract_walk.py", url, *options)


def walk_in_javascript(url):
    # Where npm is missing, set-up brings Node as a package of the virtual environment.
    places = os.pathsep.join([os.environ["PATH"], os.path.dirname(sys.executable)])
    node = shutil.which("node", path=places)
    assert node, "Node is missing: run `make setup`"
    return walk(node, "acceptance/contract_walk.mjs", url)


def test_contract_in_python(server):
    walk_in_python(server.url)


def test_contract_in_javascript(server):
    walk_in_javascript(server.url)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("data")


@pytest.mark.parametrize("command", [UVICORN, RUNSERVER], ids=["uvicorn", "runserver"])
def test_sockets_under_another_server(command, data_dir):
    with Service(data_dir, command=command) as service:
        service.migrate()
        service.start()
        walk_in_python(service.url, "--only", "sockets")
        walk_in_javascript(service.url)
