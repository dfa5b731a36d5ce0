"""A simulator of an Oracle database: the real driver talks to it over TCP, and it answers from a model.

It proves what `docs/oracle-proof.md` says and no more: it is not an Oracle server.
"""
