-- purpose: tell when Oracle's own job that cleans up after online index builds comes next
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_SCHEDULER_JOBS
-- locks: none
-- licence: none
-- binds: none
-- columns: name (job), state (SCHEDULED, RUNNING, ...), next_s (seconds until it is due, below 0: overdue; null: never)
-- source: Database Reference 19c, DBA_SCHEDULER_JOBS; the job SYS.CLEANUP_ONLINE_IND_BUILD comes with 12.1
SELECT
    j.job_name AS name,
    j.state AS state,
    ROUND((CAST(SYS_EXTRACT_UTC(j.next_run_date) AS DATE) - CAST(SYS_EXTRACT_UTC(SYSTIMESTAMP) AS DATE)) * 86400) AS next_s
FROM dba_scheduler_jobs j
WHERE j.owner = 'SYS'
AND j.enabled = 'TRUE'
AND j.job_name = 'CLEANUP_ONLINE_IND_BUILD'
