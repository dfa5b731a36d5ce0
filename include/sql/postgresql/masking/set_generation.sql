-- purpose: from now on the tables of a run are filled from another picture
-- kind: change
-- engine: postgresql 14-19
-- privileges: the account owns the schema drydock_masking
-- locks: ROW EXCLUSIVE on drydock_masking.runs; waits for parts that are being copied
-- licence: none
-- binds: run_id (of the ledger), generation (of the picture), xids (digest), identity (of the source)
-- columns: none
-- source: PostgreSQL manual, UPDATE
UPDATE drydock_masking.runs SET generation = %(generation)s, xids = %(xids)s, identity = %(identity)s WHERE run_id = %(run_id)s
