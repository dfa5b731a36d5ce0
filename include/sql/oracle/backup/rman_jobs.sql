-- purpose: tell every RMAN session that made backups, as far back as the control file remembers
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT V_$RMAN_BACKUP_JOB_DETAILS
-- locks: none
-- licence: none
-- binds: none
-- columns: session_recid (with session_stamp the session), session_stamp (see session_recid), command_id (as the job set it), started_at (local time), ended_at (local time), status (RUNNING, COMPLETED, FAILED, with or without WARNINGS and ERRORS), input_type (the heaviest thing that was backed up), input_bytes (bytes read), output_bytes (bytes written), elapsed_s (seconds)
-- source: Oracle Database Reference 19c, V$RMAN_BACKUP_JOB_DETAILS (slow where statistics of fixed objects are missing: rman_statuses.sql stands in)
SELECT
    session_recid AS session_recid,
    session_stamp AS session_stamp,
    command_id AS command_id,
    start_time AS started_at,
    end_time AS ended_at,
    status AS status,
    input_type AS input_type,
    input_bytes AS input_bytes,
    output_bytes AS output_bytes,
    elapsed_seconds AS elapsed_s
FROM v$rman_backup_job_details
