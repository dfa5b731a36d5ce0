INSERT INTO drydock_runs (run_id, generation) VALUES (:run_id, 0)
