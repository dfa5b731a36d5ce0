-- purpose: tell what this session has written and how long it has waited for others since it began: the difference is a statement's cost
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.V_$MYSTAT, SELECT ON SYS.V_$STATNAME
-- locks: none
-- licence: none
-- binds: none
-- columns: redo_bytes (redo size of the session; what its parallel servers wrote is added when a statement ends), waited_s (seconds in the wait class Application, which is waiting for locks; null: not told)
-- source: Database Reference 19c, V$MYSTAT, V$STATNAME; appendix Statistics Descriptions: redo size, application wait time (hundredths of a second)
SELECT
    sum(CASE WHEN n.name = 'redo size' THEN m.value END) AS redo_bytes,
    sum(CASE WHEN n.name = 'application wait time' THEN m.value END) / 100 AS waited_s
FROM v$mystat m, v$statname n
WHERE n.statistic# = m.statistic# AND n.name IN ('redo size', 'application wait time')
