"""The engine: the mathematics of `taut.network`, compiled (floor 3 of the house).

A network is data to it: tables of integers and numbers (`program`) that one machine program reads, which Numba compiles
once and keeps on disk (`compiled`). `session` is the way in. Its decisions stand in
docs/architecture.md, "The engine".
"""
