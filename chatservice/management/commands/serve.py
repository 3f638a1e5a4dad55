"""`manage.py serve`: the whole service in one process."""

import fcntl
import os
import socket
import sys
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from pymongo.errors import PyMongoError

from chatservice.mongo.client import database
from chatservice.mongo.embedded import EmbeddedMongoDBError

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

    def handle(self, *, host, port, **options):
        try:
            self.check_settings()
            listener = listen(host, port)
            self.prepare_database()
            self.serve(listener)
        except KeyboardInterrupt:
            sys.exit(130)

    def check_settings(self):
        """Refuse to start with bad settings: one line for each, and no traceback."""
        if problems := settings.ENVIRONMENT.problems:
            raise CommandError("\n".join(str(problem) for problem in problems))
        if not settings.DEBUG and not (settings.STATIC_ROOT / "staticfiles.json").exists():
            raise CommandError("The static files have not been collected: run `make setup`.")
        self.check()

    def prepare_database(self):
        """Start and migrate it; one process does so while others that start as well wait."""
        lock = Path(settings.DATA_DIR, "migrate.lock")
        try:
            lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with lock.open("w") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                database().command("ping")
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

    def serve(self, listener):
        """Run Daphne in this process until it is told to stop."""
        from daphne.server import Server
        from twisted.internet import reactor

        from chatservice.asgi import application

        host, port = listener.getsockname()[:2]
        url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        reactor.callWhenRunning(lambda: self.stdout.write(f"The chat is on {url}"))
        Server(
            application=application,
            endpoints=[f"fd:fileno={listener.fileno()}"],
            ping_interval=PING_INTERVAL_SECONDS,
            websocket_timeout=-1,
            websocket_max_message_size=settings.DAPHNE_WEBSOCKET_MAX_MESSAGE_SIZE,
            websocket_max_frame_size=settings.DAPHNE_WEBSOCKET_MAX_FRAME_SIZE,
            application_close_timeout=APPLICATION_CLOSE_SECONDS,
            **proxy_headers(),
            verbosity=0,  # Daphne's access log would show Engine.IO session ids
        ).run()


def proxy_headers() -> dict[str, str]:
    """The headers from which Daphne learns the client's address, where only a proxy calls it."""
    if not settings.BEHIND_HTTPS:
        return {}
    return {
        "proxy_forwarded_address_header": "X-Forwarded-For",
        "proxy_forwarded_proto_header": "X-Forwarded-Proto",
    }


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
