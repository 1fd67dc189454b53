"""Whose work comes next, decided without knowing whose it is; what that guarantees; and how the public can check it.

`rates`, `account`, `queueing`, `state` and `bounds` are the scheduler: they see numbers only. `commitment` seals what a
decision saw and opens it to those who waited. `maxmin`, `figures` and `permutation` measure afterwards; only `figures` knows
which customers are affiliates, and the floor plan keeps the scheduler from importing it. See docs/decisions/0016-scheduler.md.
"""
