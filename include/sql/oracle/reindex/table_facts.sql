-- purpose: tell of one table what decides about its indexes
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_TABLES
-- locks: none
-- licence: none
-- binds: owner (of the table), name (of the table)
-- columns: rows_known (statistics), blocks (statistics), partitioned (YES, NO), iot_type (or null), last_analyzed (local time of the host)
-- source: Database Reference 19c, DBA_TABLES
SELECT
    t.num_rows AS rows_known,
    t.blocks AS blocks,
    t.partitioned AS partitioned,
    t.iot_type AS iot_type,
    t.last_analyzed AS last_analyzed
FROM dba_tables t
WHERE t.owner = :owner
AND t.table_name = :name
