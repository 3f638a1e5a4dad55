"""How the process gives memory back."""

import ctypes

M_MMAP_THRESHOLD = -3  # of glibc's <malloc.h>
LARGE = 1024 * 1024  # bytes


def give_back_large_blocks() -> None:
    """Let glibc return every block of at least 1 MiB to the system as soon as it is freed.

    By default it raises that limit to the largest block freed so far, up to 32 MiB, and keeps such
    blocks for each thread: 400 log-ins from 16 clients left a server at 606 MiB, and so at 132.
    Does nothing where there is no glibc.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    mallopt(M_MMAP_THRESHOLD, LARGE)
