-- purpose: the parts of a run that are copied
-- kind: read
-- engine: postgresql 14-19
-- privileges: the account owns the schema drydock_masking
-- locks: none
-- licence: none
-- binds: run_id (of the ledger)
-- columns: generation (of the picture), schema_name (of the relation), name (relation of the source), first_page (of the part), end_page (after its last; -1: to the end), rows (copied), bytes (of the stream), elapsed_s (seconds)
-- source: PostgreSQL manual, SELECT
SELECT p.generation, p.schema_name, p.name, p.first_page, p.end_page, p.rows, p.bytes, p.elapsed_s FROM drydock_masking.parts AS p WHERE p.run_id = %(run_id)s ORDER BY p.schema_name, p.name, p.first_page
