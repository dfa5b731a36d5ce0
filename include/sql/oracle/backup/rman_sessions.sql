-- purpose: tell whether any session of the program rman is logged on, on any instance
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT GV_$SESSION
-- locks: none
-- licence: none
-- binds: none
-- columns: session_count (sessions), oldest_logon_at (local time of the first of them, null: none)
-- source: Oracle Database Reference 19c, V$SESSION (PROGRAM)
SELECT COUNT(*) AS session_count, MIN(logon_time) AS oldest_logon_at
FROM gv$session
WHERE LOWER(program) LIKE 'rman%'
