from django.core.management.base import BaseCommand, CommandError

from accounts import actions


class Command(BaseCommand):
    help = "Forget the failed log-ins of a person or an address, so that they need not wait."

    def add_arguments(self, parser):
        parser.add_argument(
            "name", metavar="NAME", help="an e-mail address, a user name or a network address"
        )

    def handle(self, *, name, **options):
        if not name.strip():
            raise CommandError("Say who: an e-mail address, a user name or a network address.")
        if actions.unlock(name=name):
            self.stdout.write(f"{name} may log in again at once.")
        else:
            self.stdout.write(f"Nothing was held against {name}.")
