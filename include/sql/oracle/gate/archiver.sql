-- purpose: tell whether the archivers keep up: redo logs that are full and not archived yet, and archivers that stand
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.GV_$INSTANCE, SELECT ON SYS.V_$DATABASE, SELECT ON SYS.V_$LOG
-- locks: none
-- licence: none
-- binds: none
-- columns: log_mode (ARCHIVELOG, NOARCHIVELOG, MANUAL), logs_waiting (logs of all threads, the current ones not counted), archivers_down (instances whose archiver is stopped, or failed at its last log)
-- source: Database Reference 19c, V$LOG (ARCHIVED, STATUS), V$INSTANCE (ARCHIVER), V$DATABASE (LOG_MODE)
SELECT
    d.log_mode AS log_mode,
    (SELECT count(*) FROM v$log l WHERE l.archived = 'NO' AND l.status IN ('ACTIVE', 'INACTIVE')) AS logs_waiting,
    (SELECT count(*) FROM gv$instance i WHERE i.archiver <> 'STARTED') AS archivers_down
FROM v$database d
