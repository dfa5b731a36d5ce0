-- purpose: tell for how long the undo has lately held what a query at an older SCN needs
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.GV_$UNDOSTAT
-- locks: none
-- licence: none
-- binds: none
-- columns: shortest_s (least TUNED_UNDORETENTION of the last day on any instance, seconds), too_old (queries that ended with ORA-01555 in it), no_space (times that no undo was left in it)
-- source: Database Reference 19c, V$UNDOSTAT, GV$ Views; Administrator's Guide 19c, Managing Undo
SELECT
    MIN(u.tuned_undoretention) AS shortest_s,
    SUM(u.ssolderrcnt) AS too_old,
    SUM(u.nospaceerrcnt) AS no_space
FROM gv$undostat u
WHERE u.end_time > SYSDATE - 1
