-- purpose: write down that a part is copied, in the transaction that copies it
-- kind: change
-- engine: postgresql 14-19
-- privileges: the account owns the schema drydock_masking
-- locks: ROW EXCLUSIVE on drydock_masking.parts
-- licence: none
-- binds: run_id (of the ledger), generation (of the picture), schema_name (of the relation), name (relation of the source), first_page (of the part), end_page (after its last; -1: to the end), rows (copied), bytes (of the stream), elapsed_s (seconds)
-- columns: none
-- source: PostgreSQL manual, INSERT
INSERT INTO drydock_masking.parts (run_id, generation, schema_name, name, first_page, end_page, rows, bytes, elapsed_s)
VALUES (%(run_id)s, %(generation)s, %(schema_name)s, %(name)s, %(first_page)s, %(end_page)s, %(rows)s, %(bytes)s, round(%(elapsed_s)s::numeric, 3))
