-- purpose: tell the jobs that clean the trails
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT DBA_AUDIT_MGMT_CLEANUP_JOBS
-- locks: none
-- licence: none
-- binds: none
-- columns: name (job), audit_trail (which), frequency (how often), keeps_unarchived (YES: only what is marked as archived goes; NO: all goes)
-- source: Database Reference 19c, DBA_AUDIT_MGMT_CLEANUP_JOBS
SELECT
    job_name AS name,
    audit_trail AS audit_trail,
    job_frequency AS frequency,
    use_last_archive_timestamp AS keeps_unarchived
FROM dba_audit_mgmt_cleanup_jobs
WHERE job_status = 'ENABLED'
ORDER BY job_name
