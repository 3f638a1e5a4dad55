"""Where Django looks for a backend's compilers."""

from .read_compilers import SQLAggregateCompiler, SQLCompiler
from .write_compilers import SQLDeleteCompiler, SQLInsertCompiler, SQLUpdateCompiler

__all__ = [
    "SQLAggregateCompiler",
    "SQLCompiler",
    "SQLDeleteCompiler",
    "SQLInsertCompiler",
    "SQLUpdateCompiler",
]
