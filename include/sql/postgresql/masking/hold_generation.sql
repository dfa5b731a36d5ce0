-- purpose: see that the run is still filled from this picture, and keep it so until this transaction ends
-- kind: change
-- engine: postgresql 14-19
-- privileges: the account owns the schema drydock_masking
-- locks: a row of drydock_masking.runs, shared
-- licence: none
-- binds: run_id (of the ledger), generation (of the picture)
-- columns: none
-- source: PostgreSQL manual, SELECT: The Locking Clause
SELECT r.run_id FROM drydock_masking.runs AS r WHERE r.run_id = %(run_id)s AND r.generation = %(generation)s FOR SHARE
