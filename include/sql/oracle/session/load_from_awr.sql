-- purpose: tell the DB time of each snapshot of the last hours, from the workload repository
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_HIST_SNAPSHOT, SELECT ON SYS.DBA_HIST_SYS_TIME_MODEL, SELECT ON SYS.V_$DATABASE
-- locks: none
-- licence: Diagnostics Pack
-- twin: load_from_statspack
-- binds: hours (how far back)
-- columns: snap_id (snapshot), instance (instance number), ended_at (local time of the host), started_at (start of the instance), db_time_s (seconds of DB time since then)
-- source: Database Reference 19c, DBA_HIST_SNAPSHOT, DBA_HIST_SYS_TIME_MODEL; Database Licensing Information, Diagnostics Pack
SELECT
    s.snap_id AS snap_id,
    s.instance_number AS instance,
    CAST(s.end_interval_time AS DATE) AS ended_at,
    CAST(s.startup_time AS DATE) AS started_at,
    t.value / 1000000 AS db_time_s
FROM v$database d
INNER JOIN dba_hist_snapshot s ON s.dbid = d.dbid
INNER JOIN dba_hist_sys_time_model t
    ON t.snap_id = s.snap_id AND t.dbid = s.dbid AND t.instance_number = s.instance_number
WHERE t.stat_name = 'DB time' AND CAST(s.end_interval_time AS DATE) > sysdate - :hours / 24
ORDER BY s.snap_id, s.instance_number
