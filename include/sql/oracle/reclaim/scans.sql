-- purpose: tell how often each segment of one table was read in full since the instance started
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.GV_$SEGMENT_STATISTICS
-- locks: none
-- licence: none
-- binds: owner (of the table), name (of the table)
-- columns: partition (or null), scans (full scans)
-- source: Database Reference 19c, V$SEGMENT_STATISTICS, GV$ views
SELECT
    s.subobject_name AS partition,
    SUM(s.value) AS scans
FROM gv$segment_statistics s
WHERE s.owner = :owner
AND s.object_name = :name
AND s.statistic_name = 'segment scans'
GROUP BY s.subobject_name
