-- purpose: from now on the tables of the run are filled from another picture
-- kind: change
-- engine: oracle 12.1-23
-- privileges: none beyond CREATE SESSION
-- locks: row exclusive on the table
-- licence: none
-- binds: run_id (of the ledger), generation (of the picture), xids (digest), identity (of the source)
-- columns: none
-- source: SQL Language Reference 19c, UPDATE
UPDATE drydock_runs
SET generation = :generation, xids = :xids, identity = :identity
WHERE run_id = :run_id
