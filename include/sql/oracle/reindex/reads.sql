-- purpose: tell how many blocks of each piece of one index were read from disk since the instance started
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.V_$SEGMENT_STATISTICS
-- locks: none
-- licence: none
-- binds: owner (of the index), name (index)
-- columns: partition (or null), physical_reads (blocks)
-- source: Database Reference 19c, V$SEGMENT_STATISTICS
SELECT
    s.subobject_name AS partition,
    s.value AS physical_reads
FROM v$segment_statistics s
WHERE s.owner = :owner
AND s.object_name = :name
AND s.statistic_name = 'physical reads'
