-- purpose: tell which database answers, in which role and mode, what its clock says, and since when its control file knows anything
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT V_$DATABASE, SELECT V_$INSTANCE, SELECT V_$PARAMETER, SELECT V_$BLOCK_CHANGE_TRACKING, SELECT V_$ARCHIVED_LOG
-- locks: none
-- licence: none
-- binds: none
-- columns: dbid (number), name (DB_NAME), unique_name (DB_UNIQUE_NAME), version (number of the release), role (DATABASE_ROLE), open_mode (OPEN_MODE), log_mode (ARCHIVELOG or NOARCHIVELOG), current_scn (SCN), resetlogs_scn (SCN of the current incarnation), sysdate_at (SYSDATE, local to the host), created_at (local time), controlfile_created_at (local time), role_changed_at (local time of the last end of redo by a change of role, null: none known), keep_days (CONTROL_FILE_RECORD_KEEP_TIME, days), spfile (its path, null: started from a text file), force_logging (YES or NO), change_tracking (ENABLED or DISABLED)
-- source: Oracle Database Reference 19c, V$DATABASE, V$INSTANCE, V$BLOCK_CHANGE_TRACKING, V$ARCHIVED_LOG (END_OF_REDO)
SELECT
    d.dbid AS dbid,
    d.name AS name,
    d.db_unique_name AS unique_name,
    i.version AS version,
    d.database_role AS role,
    d.open_mode AS open_mode,
    d.log_mode AS log_mode,
    d.current_scn AS current_scn,
    d.resetlogs_change# AS resetlogs_scn,
    SYSDATE AS sysdate_at,
    d.created AS created_at,
    d.controlfile_created AS controlfile_created_at,
    (
        SELECT MAX(l.next_time)
        FROM v$archived_log l
        WHERE l.end_of_redo = 'YES' AND COALESCE(l.end_of_redo_type, 'NONE') <> 'RESETLOGS'
    ) AS role_changed_at,
    (SELECT MAX(p.value) FROM v$parameter p WHERE p.name = 'control_file_record_keep_time') AS keep_days,
    (SELECT MAX(p.value) FROM v$parameter p WHERE p.name = 'spfile') AS spfile,
    d.force_logging AS force_logging,
    (SELECT MAX(t.status) FROM v$block_change_tracking t) AS change_tracking
FROM v$database d CROSS JOIN v$instance i
