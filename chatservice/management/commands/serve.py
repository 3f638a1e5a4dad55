"""`manage.py serve`: the whole service, in one process or several."""

import argparse
import fcntl
import os
import socket
import sys
from concurrent.futures import Future
from importlib import import_module
from pathlib import Path
from threading import Thread

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from pymongo.errors import PyMongoError

from chatservice.mongo.client import database
from chatservice.mongo.embedded import EmbeddedMongoDBError
from chatservice.workers import Inheritance, Supervisor, end_with_parent

BACKLOG = 1024  # connections that the kernel holds for us while many clients reconnect at once
PING_INTERVAL_SECONDS = 3600  # Engine.IO has its own pings
APPLICATION_CLOSE_SECONDS = 10


class Command(BaseCommand):
    help = (
        "Check the settings, start the database if it is the embedded one, migrate, and serve on "
        "HOST and PORT until SIGTERM or Ctrl-C."
    )
    requires_system_checks = []  # they are run below, after those of our own settings

    def add_arguments(self, parser):
        parser.add_argument("--host", default=settings.HOST, help="Default: %(default)s")
        parser.add_argument(
            "--port",
            type=int,
            default=settings.PORT,
            help="0 is any that is free. Default: %(default)s",
        )
        parser.add_argument(
            "--workers",
            type=int,
            default=settings.WORKERS,
            help="Processes that serve; more than one need REDIS_URL. Default: %(default)s",
        )
        # How the parent of several starts each of them.
        parser.add_argument("--worker", type=int, help=argparse.SUPPRESS)
        parser.add_argument("--parent", type=int, help=argparse.SUPPRESS)
        parser.add_argument("--descriptors", help=argparse.SUPPRESS)

    def handle(self, *, host, port, workers, worker, parent, descriptors, **options):
        try:
            if worker is not None:
                end_with_parent(parent)
                self.serve_as_worker(worker, Inheritance.parse(descriptors))
                return
            self.check_settings()
            self.check_workers(workers)
            listener = listen(host, port)
            self.start_database()
            self.check()
            if workers == 1:
                import_module("chatservice.asgi")  # while the database starts, not after it
            self.prepare_database()
            url = url_of(listener)
            if workers == 1:
                self.serve(listener, on_ready=lambda: self.announce(url))
            else:
                self.supervise(listener, workers, on_ready=lambda: self.announce(url))
        except KeyboardInterrupt:
            sys.exit(130)

    def check_settings(self):
        """Refuse to start with bad settings: one line for each, and no traceback."""
        if problems := settings.ENVIRONMENT.problems:
            raise CommandError("\n".join(str(problem) for problem in problems))
        if not settings.DEBUG and not (settings.STATIC_ROOT / "staticfiles.json").exists():
            raise CommandError("The static files have not been collected: run `make setup`.")

    def check_workers(self, workers):
        if workers < 1:
            raise CommandError("At least one worker is needed.")
        if workers > 1 and not settings.REDIS_URL:
            raise CommandError(
                f"{workers} workers need REDIS_URL: through it they tell each other what happens."
            )

    def start_database(self):
        """Begin to start it, if it is the embedded one; `prepare_database` says how that went."""
        self.starting = Future()

        def start():
            try:
                # This first: the database's own directory lies in it, and its parents are public.
                settings.DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
                self.starting.set_result(database())
            except Exception as error:
                self.starting.set_exception(error)

        Thread(target=start, daemon=True).start()

    def prepare_database(self):
        """Wait for it and migrate; one process does so while others that start as well wait."""
        try:
            started = self.starting.result()
            with Path(settings.DATA_DIR, "migrate.lock").open("w") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                started.command("ping")
                executor = MigrationExecutor(connection)
                if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                    call_command("migrate", verbosity=0, interactive=False)
        except EmbeddedMongoDBError as error:
            raise CommandError(str(error)) from error
        except (PyMongoError, DatabaseError) as error:
            reason = str(error).partition(", Timeout:")[0]
            raise CommandError(f"The database cannot be used: {reason}") from error
        except OSError as error:
            raise CommandError(f"DATA_DIR cannot be used: {error}") from error

    def announce(self, url):
        self.stdout.write(f"The chat is on {url}")
        self.stdout.flush()

    def supervise(self, listener, workers, *, on_ready):
        """Run several workers until this process is told to stop."""
        warn = self.stderr.write
        sys.exit(Supervisor(listener, workers, on_ready=on_ready, warn=warn).run())

    def serve_as_worker(self, number, inheritance):
        """Run Daphne as one of several, on what the parent has handed down."""
        from chatservice.realtime import handover

        self.serve(
            inheritance.listener,
            on_ready=lambda: os.write(inheritance.ready, bytes([number])),
            before=lambda server: handover.install(
                server, worker=number, inbox=inheritance.inbox, outboxes=inheritance.outboxes
            ),
        )

    def serve(self, listener, *, on_ready, before=lambda server: None):
        """Run Daphne in this process until it is told to stop."""
        from daphne.server import Server
        from twisted.internet import reactor

        from chatservice.asgi import application

        reactor.callWhenRunning(on_ready)
        server = Server(
            application=application,
            endpoints=[f"fd:fileno={listener.detach()}"],  # which closes it in the end
            ping_interval=PING_INTERVAL_SECONDS,
            websocket_timeout=-1,
            websocket_max_message_size=settings.DAPHNE_WEBSOCKET_MAX_MESSAGE_SIZE,
            websocket_max_frame_size=settings.DAPHNE_WEBSOCKET_MAX_FRAME_SIZE,
            application_close_timeout=APPLICATION_CLOSE_SECONDS,
            **proxy_headers(),
            verbosity=0,  # Daphne's access log would show Engine.IO session ids
        )
        before(server)
        server.run()


def proxy_headers() -> dict[str, str]:
    """The headers from which Daphne learns the client's address, where only a proxy calls it."""
    if not settings.BEHIND_HTTPS:
        return {}
    return {
        "proxy_forwarded_address_header": "X-Forwarded-For",
        "proxy_forwarded_proto_header": "X-Forwarded-Proto",
    }


def url_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on `host` and `port`; raises CommandError where that cannot be had."""
    listener = None
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        if listener:
            listener.close()
        raise CommandError(
            f"Cannot listen on {host}, port {port}: {os.strerror(error.errno)}. "
            "Choose another HOST or PORT, for example PORT=8001."
            if not isinstance(error, socket.gaierror)
            else f"Cannot listen on {host}: {error.strerror}. Choose another HOST."
        ) from error
    return listener
