-- purpose: tell of each index of one table what forbids a method, and how large it is
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_INDEXES, SELECT ON SYS.DBA_PART_INDEXES, SELECT ON SYS.DBA_SEGMENTS
-- locks: none
-- licence: none
-- binds: owner (of the table), name (of the table)
-- columns: owner (of the index), name (index), type (NORMAL, FUNCTION-BASED NORMAL, BITMAP, DOMAIN, ...), join_index (YES: a bitmap join index), partitioned (YES, NO), locality (LOCAL, GLOBAL, null), bytes (all its segments), largest_bytes (its largest segment), tablespace (of its segments)
-- source: Database Reference 19c, DBA_INDEXES, DBA_PART_INDEXES, DBA_SEGMENTS
SELECT
    i.owner AS owner,
    i.index_name AS name,
    i.index_type AS type,
    i.join_index AS join_index,
    i.partitioned AS partitioned,
    MAX(p.locality) AS locality,
    NVL(SUM(s.bytes), 0) AS bytes,
    NVL(MAX(s.bytes), 0) AS largest_bytes,
    MAX(s.tablespace_name) AS tablespace
FROM dba_indexes i
LEFT JOIN dba_part_indexes p ON p.owner = i.owner AND p.index_name = i.index_name
LEFT JOIN dba_segments s ON s.owner = i.owner AND s.segment_name = i.index_name
WHERE i.table_owner = :owner
AND i.table_name = :name
AND i.index_type <> 'LOB'
GROUP BY i.owner, i.index_name, i.index_type, i.join_index, i.partitioned
