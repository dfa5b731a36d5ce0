DELETE FROM drydock_runs
