-- purpose: tell how much log was archived in each hour of the last 7 days, deleted logs included
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT V_$ARCHIVED_LOG
-- locks: none
-- licence: none
-- binds: none
-- columns: hour_at (local time, begin of the hour), archived_bytes (bytes; each log once)
-- source: Oracle Database Reference 19c, V$ARCHIVED_LOG
SELECT TRUNC(g.archived_at, 'HH24') AS hour_at, SUM(g.log_bytes) AS archived_bytes
FROM (
    SELECT MIN(l.completion_time) AS archived_at, MAX(l.blocks * l.block_size) AS log_bytes
    FROM v$archived_log l
    WHERE l.standby_dest = 'NO' AND l.completion_time > SYSDATE - 7
    GROUP BY l.thread#, l.resetlogs_change#, l.sequence#
) g
GROUP BY TRUNC(g.archived_at, 'HH24')
