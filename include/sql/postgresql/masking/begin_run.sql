-- purpose: write down that a run begins to fill the copy, once
-- kind: change
-- engine: postgresql 14-19
-- privileges: the account owns the schema drydock_masking
-- locks: ROW EXCLUSIVE on drydock_masking.runs
-- licence: none
-- binds: run_id (of the ledger)
-- columns: none
-- source: PostgreSQL manual, INSERT
INSERT INTO drydock_masking.runs (run_id, generation, xids, identity) VALUES (%(run_id)s, 0, '', '') ON CONFLICT DO NOTHING
