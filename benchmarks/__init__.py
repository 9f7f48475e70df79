"""Benchmarks: taut beside what a person would use instead, all doing the same arithmetic.

`make bench` runs everything and writes docs/performance.md; ``python -m benchmarks --help`` says how to run a part.
A *problem* (`problems.py`) is data, first weights and settings; a *contender* (`contenders/`) trains it as its own
users would; a *session* (`session.py`) is one process in which contenders take turns; the *report* (`report.py`) reads
nothing but the file of results that the sessions wrote.
"""
