-- purpose: tell every datafile of a database without containers, with its tablespace
-- kind: read
-- engine: oracle 11.2-11.2
-- privileges: SELECT V_$DATAFILE, SELECT V_$TABLESPACE
-- locks: none
-- licence: none
-- binds: none
-- columns: file_number (FILE#), creation_scn (SCN: with FILE# it names the file for ever), created_at (local time), file_name (path), tablespace (name, null: not in the control file), status (SYSTEM, ONLINE, OFFLINE, RECOVER or SYSOFF), enabled (READ WRITE, READ ONLY, DISABLED or UNKNOWN), checkpoint_scn (SCN), stop_scn (SCN of the last change, null: it is being changed), total_bytes (bytes), in_database_backup (YES or NO), unrecoverable_scn (SCN of the last NOLOGGING change, 0: none), unrecoverable_at (local time of it)
-- source: Oracle Database Reference 11.2, V$DATAFILE, V$TABLESPACE
SELECT
    f.file# AS file_number,
    f.creation_change# AS creation_scn,
    f.creation_time AS created_at,
    f.name AS file_name,
    t.name AS tablespace,
    f.status AS status,
    f.enabled AS enabled,
    f.checkpoint_change# AS checkpoint_scn,
    f.last_change# AS stop_scn,
    f.bytes AS total_bytes,
    t.included_in_database_backup AS in_database_backup,
    f.unrecoverable_change# AS unrecoverable_scn,
    f.unrecoverable_time AS unrecoverable_at
FROM v$datafile f
LEFT JOIN v$tablespace t ON t.ts# = f.ts#
