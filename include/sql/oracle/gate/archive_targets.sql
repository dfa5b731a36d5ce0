-- purpose: tell each destination of archived logs, and until when a standby behind it has applied them
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.V_$ARCHIVED_LOG, SELECT ON SYS.V_$ARCHIVE_DEST, SELECT ON SYS.V_$DATABASE
-- locks: none
-- licence: none
-- binds: none
-- columns: dest (DEST_ID), target (PRIMARY, LOCAL, STANDBY, REMOTE), status (VALID, ERROR, DEFERRED and others), destination (folder, +disk group, service, USE_DB_RECOVERY_FILE_DEST), thread (redo thread, null: no log there in a week), archived_until (end of the newest log there, local time of the host), applied_until (end of the newest log that a standby has applied; null: none)
-- source: Database Reference 19c, V$ARCHIVE_DEST, V$ARCHIVED_LOG (APPLIED, NEXT_TIME, RESETLOGS_CHANGE#)
SELECT
    d.dest_id AS dest,
    d.target AS target,
    d.status AS status,
    d.destination AS destination,
    l.thread# AS thread,
    max(l.next_time) AS archived_until,
    max(CASE WHEN l.applied = 'YES' THEN l.next_time END) AS applied_until
FROM v$archive_dest d
LEFT JOIN v$archived_log l
    ON
        l.dest_id = d.dest_id
        AND l.next_time > SYSDATE - 7
        AND l.resetlogs_change# = (SELECT b.resetlogs_change# FROM v$database b)
WHERE d.status <> 'INACTIVE' AND d.destination IS NOT NULL
GROUP BY d.dest_id, d.target, d.status, d.destination, l.thread#
ORDER BY d.dest_id, l.thread#
