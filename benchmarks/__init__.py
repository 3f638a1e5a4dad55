"""The benchmarks: the service beside what it is compared with; `docs/benchmarks.md` explains them.

`python -m benchmarks` measures, `python -m benchmarks.report` prints and updates the documents, and
`python -m benchmarks.check` is the regression check that needs no quiet machine.
"""
