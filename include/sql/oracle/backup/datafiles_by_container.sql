-- purpose: tell every datafile that the account can see, with its tablespace and container, the seed included
-- kind: read
-- engine: oracle 12.1-23
-- privileges: SELECT V_$DATAFILE, SELECT V_$TABLESPACE, SELECT V_$CONTAINERS, SELECT V_$DATABASE
-- locks: none
-- licence: none
-- binds: none
-- columns: cdb (YES for a container database), container_id (0: no CDB, 1: root, 2: seed), container (its name), file_number (FILE#), creation_scn (SCN: with FILE# it names the file for ever), created_at (local time), file_name (path), tablespace (name, null: not in the control file), status (SYSTEM, ONLINE, OFFLINE, RECOVER or SYSOFF), enabled (READ WRITE, READ ONLY, DISABLED or UNKNOWN), checkpoint_scn (SCN), stop_scn (SCN of the last change, null: it is being changed), total_bytes (bytes), in_database_backup (YES or NO), unrecoverable_scn (SCN of the last NOLOGGING change, 0: none), unrecoverable_at (local time of it)
-- source: Oracle Database Reference 19c, V$DATAFILE, V$TABLESPACE, V$CONTAINERS (TS# is unique in its container only)
SELECT
    d.cdb AS cdb,
    f.con_id AS container_id,
    c.name AS container,
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
LEFT JOIN v$tablespace t ON t.ts# = f.ts# AND t.con_id = f.con_id
LEFT JOIN v$containers c ON c.con_id = f.con_id
CROSS JOIN v$database d
