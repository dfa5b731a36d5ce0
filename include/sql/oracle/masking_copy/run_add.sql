-- purpose: write down that a run begins to fill the copy
-- kind: change
-- engine: oracle 12.1-23
-- privileges: none beyond CREATE SESSION
-- locks: row exclusive on the table
-- licence: none
-- binds: run_id (of the ledger)
-- columns: none
-- source: SQL Language Reference 19c, INSERT
INSERT INTO drydock_runs (run_id, generation) VALUES (:run_id, 0)
