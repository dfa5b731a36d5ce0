-- purpose: list the tables of one schema, with what keeps a table from being copied by ranges of ROWID
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_TABLES, SELECT ON SYS.DBA_TAB_COMMENTS
-- locks: none
-- licence: none
-- binds: owner (schema)
-- columns: name (table), comments (text of the comment), estimated_rows (of the last statistics; null: none), blocks (of the last statistics), is_partitioned (YES, NO), iot_type (IOT, IOT_OVERFLOW, IOT_MAPPING; null: a heap), temporary (Y, N), nested (YES, NO), cluster_name (null: in no cluster)
-- source: Database Reference 19c, DBA_TABLES
SELECT
    t.table_name AS name,
    m.comments AS comments,
    t.num_rows AS estimated_rows,
    t.blocks AS blocks,
    t.partitioned AS is_partitioned,
    t.iot_type AS iot_type,
    t.temporary AS temporary,
    t.nested AS nested,
    t.cluster_name AS cluster_name
FROM dba_tables t
LEFT JOIN dba_tab_comments m ON m.owner = t.owner AND m.table_name = t.table_name
WHERE t.owner = :owner
AND t.dropped = 'NO'
AND t.secondary = 'N'
ORDER BY t.table_name
