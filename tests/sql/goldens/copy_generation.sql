UPDATE drydock_runs
SET generation = :generation, xids = :xids, identity = :identity
WHERE run_id = :run_id
