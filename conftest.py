"""What all tests share: a MongoDB of their own, a real server process, and the cast.

Tests go through real doors. `server` is `manage.py serve` in a process of its own on the same
database as the test, `alice.http` a client of it with Alice's token. Every test that asks for
the database starts with an empty one.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from functools import cache, cached_property
from pathlib import Path

import pytest
import requests

from chatservice.tests import fork_server

ROOT = Path(__file__).resolve().parent
IS_XDIST_WORKER = "PYTEST_XDIST_WORKER" in os.environ

MEMORY = Path("/dev/shm")
MEMORY_BYTES = 2 * 1024**3  # free; the database of a whole run takes 310 MB, and few files


def in_memory():
    """A directory that the kernel keeps in memory, or None where that is missing or small.

    The tests' database writes its journal there: each write waits for it. Tests of a crash have
    directories of their own, on a disk.
    """
    is_there = MEMORY.is_dir() and os.access(MEMORY, os.W_OK)
    return MEMORY if is_there and shutil.disk_usage(MEMORY).free >= MEMORY_BYTES else None


# Before Django reads its settings: what the shell or `.env` say is not for the tests. A worker of
# pytest-xdist inherits them, and has a directory of its own inside the directory of the process
# that started it, with the same MongoDB server and a database of its own there.
if IS_XDIST_WORKER:
    shared = Path(os.environ["DATA_DIR"])
    own = shared / os.environ["PYTEST_XDIST_WORKER"]
    own.mkdir()
    for name in ("mongodb", "fork_server"):
        (own / name).symlink_to(shared / name)
    os.environ["DATA_DIR"] = str(own)
else:
    for name in re.findall(r"^([A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE):
        os.environ[name] = ""
    os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="chat-tests-", dir=in_memory())
    os.environ["THROTTLE"] = "off"
    os.environ["PATH"] += f"{os.pathsep}{sys.prefix}/bin"  # node, where set-up had to fetch it
os.environ["DATABASE_NAME"] = f"tests_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
os.environ["DJANGO_SETTINGS_MODULE"] = "chatservice.settings"

# A shell that runs us in the background has this signal ignored, and processes inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

DATA_DIR = Path(os.environ["DATA_DIR"])
STOP_SECONDS = 60
COMMAND_SECONDS = 180
HTTP_SECONDS = 60
PAGE_PATIENCE = 30_000  # milliseconds; nothing in a browser is timed, the machine may be slow
WIDE = {"width": 1300, "height": 800}
SPREAD = {"chatservice/tests/test_accessibility.py"}  # each of its tests runs on any worker
KEPT_COLLECTIONS = {"django_migrations", "django_content_type", "auth_permission", "__schema__"}


def pytest_configure():
    """Set Django up before test modules import models; pytest-django came too early for that."""
    import django

    django.setup()


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist, in the process that starts the workers
def pytest_xdist_setupnodes():
    """Start what the workers share: the MongoDB server and the fork server.

    Workers do not inherit the name of the settings: pytest-django would read them before this file
    has set the worker's own database and directory.
    """
    from chatservice.mongo import embedded

    embedded.ensure_running(DATA_DIR / "mongodb")
    start_fork_server()
    del os.environ["DJANGO_SETTINGS_MODULE"]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """A file's tests run on one worker: they share servers, browsers and module fixtures."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            file = nodeid.partition("::")[0]
            return nodeid if file in SPREAD else file

    return ByFile(config, log)


def pytest_collection_modifyitems(items):
    """The browser tests come first: they take the longest, and one browser serves all in a row."""
    items.sort(key=lambda item: "chromium" not in item.fixturenames)


def pytest_unconfigure():
    """Stop the tests' MongoDB server and delete all that the tests have written."""
    if IS_XDIST_WORKER:
        return
    from chatservice.mongo import embedded

    if start_fork_server.cache_info().currsize:
        start_fork_server().communicate()
    embedded.release(DATA_DIR / "mongodb")
    shutil.rmtree(DATA_DIR, ignore_errors=True)


# The database


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker):
    """An empty, migrated database of this run's (and this xdist worker's) own."""
    from django.core.management import call_command

    with django_db_blocker.unblock():
        call_command("migrate", verbosity=0, interactive=False)


@pytest.fixture
def _django_db_helper(django_db_setup, django_db_blocker):
    """What pytest-django's `db` and its mark rest on.

    Its own rolls a transaction back, which the engine does not have, or flushes, which makes all
    permissions anew for each test.
    """
    with django_db_blocker.unblock():
        empty_database()
        yield


def empty_database():
    """Delete every document but those that migrations made; collections and indexes stay."""
    from django.core.cache import cache
    from pymongo import WriteConcern

    from chatservice.mongo.client import database

    unacknowledged_by_the_journal = WriteConcern(w=1, j=False)
    for name in collections_with_documents():
        collection = database().get_collection(name, write_concern=unacknowledged_by_the_journal)
        collection.delete_many({})
    cache.clear()


def collections_with_documents():
    """The names of those that a test has written to, by one question instead of one for each."""
    from chatservice.mongo.client import database

    def first_of(name):
        return [{"$limit": 1}, {"$project": {"_id": 0, "collection": name}}]

    names = set(database().list_collection_names()) - KEPT_COLLECTIONS
    rest = [{"$unionWith": {"coll": name, "pipeline": first_of(name)}} for name in names]
    found = database().aggregate([{"$documents": []}, *rest])
    return [document["collection"] for document in found]


@pytest.fixture(scope="session", autouse=True)
def _static_files_are_looked_at_once():
    """Every `django.test.Client` makes the application anew, and WhiteNoise a list of its files."""
    from whitenoise.base import WhiteNoise

    look, found = WhiteNoise.update_files_dictionary, {}

    def look_once(self, root, prefix):
        if (root, prefix) not in found:
            look(self, root, prefix)
            found[root, prefix] = dict(self.files)
        self.files.update(found[root, prefix])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WhiteNoise, "update_files_dictionary", look_once)
        yield


# The service


@cache
def start_fork_server():
    """The process that servers and commands are forked from: one for the whole run."""
    return fork_server.start(str(DATA_DIR / "fork_server"))


def start_program(arguments, environment, **output):
    """Start what `python -u` would with these arguments, and with `environment` added to ours."""
    if not IS_XDIST_WORKER:
        start_fork_server()
    environment = {**os.environ, **environment}
    return fork_server.Program(str(DATA_DIR / "fork_server"), arguments, environment, **output)


def manage(*arguments, **environment):
    """Run a command of `manage.py` in a process of its own; a `subprocess.CompletedProcess`."""
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        program = start_program(
            ["manage.py", *arguments], environment, stdout=output, stderr=errors
        )
        try:
            exit_code = program.wait(COMMAND_SECONDS)
        finally:
            program.kill()
        output.seek(0)
        errors.seek(0)
        return subprocess.CompletedProcess(arguments, exit_code, output.read(), errors.read())


class Server:
    """A running `manage.py serve`, on a free port and the database of the tests.

    `program` is what Python runs instead of `manage.py`, and what does the same in its own way.
    With the `port` of one that has ended, it is the service once more at the same address.
    """

    def __init__(self, program=("manage.py",), port=0, **environment):
        self.earlier_output = 0  # bytes
        self.output_file = tempfile.TemporaryFile("w+")  # noqa: SIM115  (as long as the process)
        self.process, line = self._start([*program, "serve", "--port", str(port)], environment)
        if not (found := re.search(r"http://\S+", line)):
            self.stop()
            pytest.fail(f"The server has not started: {line}{self.output()}")
        self.url = found[0]
        self.port = int(self.url.rpartition(":")[2])

    def _start(self, arguments, environment):
        """The process, and the first line that it has printed."""
        reader, writer = os.pipe()
        with os.fdopen(reader) as printed:
            with os.fdopen(writer, "w") as stdout:
                process = start_program(
                    arguments, environment, stdout=stdout, stderr=self.output_file
                )
            return process, printed.readline()

    def output(self):
        """What it has written to standard error, since the test began if tests share it."""
        # The process shares the file's position: read without moving it.
        written = os.pread(self.output_file.fileno(), 1_000_000, self.earlier_output)
        return written.decode(errors="replace")

    def forget_output(self):
        self.earlier_output = os.fstat(self.output_file.fileno()).st_size

    def kill(self):
        """`kill -9`: no chance to say good-bye to anybody."""
        self.process.kill()
        self.process.wait(STOP_SECONDS)

    def stop(self):
        """SIGTERM; answers the exit code."""
        self.process.terminate()
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise


@pytest.fixture(scope="session")
def _shared_servers(django_db_setup):
    servers = {}
    yield servers
    for server in servers.values():
        server.stop()


@pytest.fixture
def shared_server(_shared_servers, db):
    """A server for tests that leave it as they found it: `shared_server(THROTTLE="on")`.

    Started when the first one asks for these settings, it runs as long as the tests do. The
    `number` tells several of the same settings apart.
    """

    def share(number=0, **options):
        key = (number, *sorted(options.items()))
        if key not in _shared_servers:
            _shared_servers[key] = Server(**options)
        server = _shared_servers[key]
        assert server.process.poll() is None, f"The server has ended: {server.output()}"
        server.forget_output()
        return server

    return share


@pytest.fixture
def server(shared_server):
    """The running service; what it logs during a test that fails is shown with it."""
    return shared_server()


@pytest.fixture
def second_server(shared_server):
    """Another process of the service on the same database; without Redis they share no more."""
    return shared_server(number=1)


@pytest.fixture
def halt_shared_servers(_shared_servers):
    """Lets the servers that tests share stand still, `but` one, until the test is over.

    Only one process finds out that a lease has run out, and without Redis it tells no other.
    """
    halted = []

    def halt(but=None):
        for server in _shared_servers.values():
            if server is not but:
                server.process.send_signal(signal.SIGSTOP)
                halted.append(server)

    yield halt
    for server in halted:
        server.process.send_signal(signal.SIGCONT)


@pytest.fixture
def start_server(db):
    """Starts servers of the test's own, `start_server(THROTTLE="on")`, and stops them."""
    started = []

    def start(**options):
        started.append(Server(**options))
        return started[-1]

    yield start
    for server in started:
        if server.process.poll() is None:
            server.stop()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed and (server := getattr(item, "funcargs", {}).get("server")):
        report.sections.append(("What the server has logged", server.output()[-10_000:]))
    return report


class Http(requests.Session):
    """A `requests` session whose addresses start at the service's."""

    def __init__(self, base_url):
        super().__init__()
        self.base_url = base_url
        self.trust_env = False  # no proxy between the tests and the service

    def request(self, method, url, **options):
        options.setdefault("timeout", HTTP_SECONDS)
        return super().request(method, self.base_url + url, **options)


# The cast


@cache
def hashed(password):
    """A hash of the password. Hashing is slow on purpose; tests of it do not use the cast's."""
    from django.contrib.auth.hashers import make_password

    return make_password(password)


class Person:
    """Somebody with an account; signed up at first sight, logged in when a token is needed."""

    def __init__(self, name, request, **rights):
        self.name = name
        self.email = f"{name.lower()}@example.org"
        self.password = f"{name}'s very own words"
        self._request = request
        self._rights = rights

    def __repr__(self):
        return self.name

    @cached_property
    def user(self):
        from accounts.models import User

        user = User(
            email=self.email,
            username=self.name.lower(),
            full_name=self.name,
            password=hashed(self.password),
            **self._rights,
        )
        user.save(force_insert=True)
        return user

    @cached_property
    def id(self):
        """The id as clients see it."""
        return str(self.user.pk)

    def log_in(self):
        """The answer to a log-in on a new device: `{"access_token": ..., ...}`."""
        assert self.user
        response = Http(self._request.getfixturevalue("server").url).post(
            "/auth/login", data={"username": self.email, "password": self.password}
        )
        assert response.status_code == 200, response.text
        return response.json()

    @cached_property
    def token(self):
        from accounts import actions, tokens

        return tokens.issue(actions.open_session(user=self.user))["access_token"]

    @cached_property
    def http(self):
        """A client of the running service that sends this person's token."""
        return self.at(self._request.getfixturevalue("server"))

    def at(self, server):
        """The same for a server of the test's own."""
        client = Http(server.url)
        client.headers["Authorization"] = f"Bearer {self.token}"
        return client

    def cookie(self):
        """The session's cookie of a browser in which this person has just logged in."""
        from django.test import Client

        browser = Client()
        browser.force_login(self.user)
        return browser.cookies["sessionid"].value


@pytest.fixture
def alice(db, request):
    """Shares `room` with Bob, and made it."""
    return signed_up(Person("Alice", request))


@pytest.fixture
def bob(db, request):
    """Shares `room` with Alice."""
    return signed_up(Person("Bob", request))


@pytest.fixture
def carol(db, request):
    """A stranger: shares no room with anybody."""
    return signed_up(Person("Carol", request))


@pytest.fixture
def moira(db, request):
    """A moderator: of the staff, with every permission in the admin."""
    return signed_up(Person("Moira", request, is_staff=True, is_superuser=True))


def signed_up(person):
    assert person.user
    return person


@pytest.fixture
def anyone(server):
    """A client of the running service without a token."""
    return Http(server.url)


@pytest.fixture
def room(alice, bob):
    """The id (ObjectId) of a group chat that Alice made, with Bob in it."""
    from chat import actions
    from chatservice.realtime.loop import run

    return run(
        actions.create_room(actor=alice.user, name="The room", description="", members=[bob.email])
    ).room_id


# What not every machine has


def unavailable(what):
    """Skip the test, or fail it where everything is meant to be there."""
    if os.environ.get("CI"):
        pytest.fail(f"{what}, and with CI set nothing may be left out.")
    pytest.skip(what)


class Chromium:
    """The system's Chromium, driven by Playwright: started when a test asks for it.

    Playwright keeps an event loop running in this thread, which Django would take for a mistake,
    and in which other tests could run none of their own: it ends before a test that needs none.
    """

    def __init__(self):
        self._running = contextlib.ExitStack()
        self._browser = None

    def browser(self):
        from playwright.sync_api import expect, sync_playwright

        from screenshots import chromium

        if self._browser is None:
            path = chromium.find()
            if not path:
                unavailable("There is no Chromium on the PATH")
            patch = self._running.enter_context(pytest.MonkeyPatch.context())
            patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
            expect.set_options(timeout=PAGE_PATIENCE)
            playwright = self._running.enter_context(sync_playwright())
            self._browser = chromium.launch(playwright, path)
            self._running.callback(self._browser.close)
        return self._browser

    def end(self):
        self._browser = None
        self._running.close()


_chromium = Chromium()


@pytest.fixture
def chromium():
    """The system's Chromium, driven by Playwright."""
    return _chromium.browser()


@pytest.hookimpl(trylast=True)  # when the test's own fixtures are gone
def pytest_runtest_teardown(nextitem):
    if "chromium" not in getattr(nextitem, "fixturenames", ()):
        _chromium.end()


@pytest.fixture
def visit(chromium, server):
    """Open the pages in a browser of a person's own: `visit(alice, path)`, `visit(None, "/login")`.

    `url` is that of another server, `size` the window's; all else goes to Playwright's context.
    Errors of its pages, what their policy refused and unexpected dialogs fail the test.
    """
    contexts, problems = [], []

    def open_page(person, path="/", *, url=server.url, size=WIDE, **options):
        options = {"locale": "en-GB", "viewport": size, **options}
        context = chromium.new_context(base_url=url, **options)
        context.set_default_timeout(PAGE_PATIENCE)
        contexts.append(context)
        if person:
            cookie = {"name": "sessionid", "value": person.cookie(), "httpOnly": True}
            context.add_cookies([{**cookie, "url": url}])
        context.on("weberror", lambda problem: problems.append(str(problem.error)))
        context.on("dialog", lambda dialog: (problems.append(dialog.message), dialog.dismiss()))
        context.on("console", lambda line: note(line))
        page = context.new_page()
        page.goto(path)
        return page

    def note(line):
        if "Content Security Policy" in line.text or "TrustedHTML" in line.text:
            problems.append(line.text)

    yield open_page
    for context in contexts:
        context.close()
    assert problems == []


@pytest.fixture(scope="session")
def redis():
    """The URL of a Redis server of this run's own."""
    if not shutil.which("redis-server"):
        unavailable("There is no redis-server on the PATH")
    directory = tempfile.mkdtemp(prefix="chat-redis-")
    path = f"{directory}/redis.sock"
    process = subprocess.Popen(
        ["redis-server", "--port", "0", "--unixsocket", path, "--save", "", "--dir", directory],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    log = []
    for line in process.stdout:
        log.append(line)
        if "eady to accept connections" in line:
            break
    else:
        pytest.fail("".join(log))
    yield f"unix://{path}"
    process.terminate()
    process.communicate(timeout=STOP_SECONDS)
    shutil.rmtree(directory, ignore_errors=True)
