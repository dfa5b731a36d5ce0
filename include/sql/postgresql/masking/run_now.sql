-- purpose: which picture of the source the tables of a run are filled from
-- kind: read
-- engine: postgresql 14-19
-- privileges: the account owns the schema drydock_masking
-- locks: none
-- licence: none
-- binds: run_id (of the ledger)
-- columns: generation (0: none yet), xids (digest of what is visible in it), identity (of the source)
-- source: PostgreSQL manual, SELECT
SELECT r.generation, r.xids, r.identity FROM drydock_masking.runs AS r WHERE r.run_id = %(run_id)s
