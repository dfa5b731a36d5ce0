-- purpose: tell the DB time of each snapshot of the last hours, from Statspack
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON PERFSTAT.STATS$SNAPSHOT, SELECT ON PERFSTAT.STATS$SYS_TIME_MODEL, SELECT ON PERFSTAT.STATS$TIME_MODEL_STATNAME, SELECT ON SYS.V_$DATABASE
-- locks: none
-- licence: none
-- binds: hours (how far back)
-- columns: snap_id (snapshot), instance (instance number), ended_at (local time of the host), started_at (start of the instance), db_time_s (seconds of DB time since then)
-- source: rdbms/admin/spdoc.txt, spctab.sql (Statspack)
SELECT
    s.snap_id AS snap_id,
    s.instance_number AS instance,
    s.snap_time AS ended_at,
    s.startup_time AS started_at,
    t.value / 1000000 AS db_time_s
FROM v$database d
INNER JOIN perfstat.stats$snapshot s ON s.dbid = d.dbid
INNER JOIN perfstat.stats$sys_time_model t
    ON t.snap_id = s.snap_id AND t.dbid = s.dbid AND t.instance_number = s.instance_number
INNER JOIN perfstat.stats$time_model_statname n ON n.stat_id = t.stat_id
WHERE n.stat_name = 'DB time' AND s.snap_time > sysdate - :hours / 24
ORDER BY s.snap_id, s.instance_number
