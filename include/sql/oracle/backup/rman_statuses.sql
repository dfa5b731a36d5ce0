-- purpose: tell every backup command of RMAN: which session gave it, and how it ended
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT V_$RMAN_STATUS
-- locks: none
-- licence: none
-- binds: none
-- columns: recid (with stamp the row), stamp (see recid), session_recid (with session_stamp the session), session_stamp (see session_recid), command_id (as the job set it), operation (BACKUP and what else makes sets), status (RUNNING, COMPLETED, FAILED, with or without WARNINGS and ERRORS), object_type (what was backed up), started_at (local time), ended_at (local time), input_bytes (bytes read), output_bytes (bytes written)
-- source: Oracle Database Reference 19c, V$RMAN_STATUS
SELECT
    recid AS recid,
    stamp AS stamp,
    session_recid AS session_recid,
    session_stamp AS session_stamp,
    command_id AS command_id,
    operation AS operation,
    status AS status,
    object_type AS object_type,
    start_time AS started_at,
    end_time AS ended_at,
    input_bytes AS input_bytes,
    output_bytes AS output_bytes
FROM v$rman_status
WHERE operation LIKE 'BACKUP%' OR operation LIKE 'CONTROL FILE%AUTOBACK%'
