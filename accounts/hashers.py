"""How passwords are hashed."""

from django.contrib.auth import hashers

from chatservice.memory import give_back_large_blocks

give_back_large_blocks()  # of which every hash needs one


class Argon2PasswordHasher(hashers.Argon2PasswordHasher):
    """Argon2id with the parameters that OWASP recommends: 19 MiB, two passes, one lane.

    Django's own take 100 MiB and eight threads for each hash, which lets a handful of log-ins at
    once fill a small server. Hashes with other parameters are renewed at the next log-in.
    """

    memory_cost = 19 * 1024  # KiB
    time_cost = 2
    parallelism = 1
