-- purpose: forget runs whose copies are not in this database any more, and their parts
-- kind: change
-- engine: postgresql 14-19
-- privileges: the account owns the schema drydock_masking
-- locks: ROW EXCLUSIVE on drydock_masking.runs and drydock_masking.parts
-- licence: none
-- binds: run_id (of the run that goes on)
-- columns: none
-- source: PostgreSQL manual, DELETE, WITH Queries
WITH gone AS (DELETE FROM drydock_masking.parts AS p WHERE p.run_id <> %(run_id)s RETURNING 1) DELETE FROM drydock_masking.runs AS r WHERE r.run_id <> %(run_id)s AND (SELECT count(*) FROM gone) >= 0
