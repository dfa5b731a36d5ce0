"""The SQL side of the simulator: names are judged by the dictionary, then the statement runs on DuckDB over the model's rows.

Every node of a statement is compiled by a function that knows Oracle's meaning of it; a node without one is refused
with ORA-03001 that names it. So a statement is answered as Oracle would, or not at all.
"""
