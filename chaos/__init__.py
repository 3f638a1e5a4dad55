"""Proof by violence: real processes, real clients, things that break, and a checker that counts.

`make chaos` runs it; docs/guarantees.md says what it shows. `__main__` puts a run together from
`parts` (the processes), `proxy` (the network between them and the clients), `clients`, `faults`
(what is done to them, from a seed), and `checker`, which uses nothing of the product's code.
"""
