-- purpose: tell of each table what decides whether and how its space may be taken back
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_TABLES
-- locks: none
-- licence: none
-- binds: none
-- columns: owner (of the table), name (table), cluster_name (null: no cluster), iot_type (null: a heap), temporary (Y, N), nested (YES, NO), dropped (YES: in the recycle bin), partitioned (YES, NO), row_movement (ENABLED, DISABLED), read_only (YES, NO), compression (ENABLED, DISABLED, null), compress_for (BASIC, ADVANCED, ..., null), pct_free (percent, null where partitioned), num_rows (statistics), blocks (statistics), avg_row_len (statistics, bytes), last_analyzed (time)
-- source: Database Reference 19c, DBA_TABLES
SELECT
    t.owner AS owner,
    t.table_name AS name,
    t.cluster_name AS cluster_name,
    t.iot_type AS iot_type,
    t.temporary AS temporary,
    t.nested AS nested,
    t.dropped AS dropped,
    t.partitioned AS partitioned,
    t.row_movement AS row_movement,
    t.read_only AS read_only,
    t.compression AS compression,
    t.compress_for AS compress_for,
    t.pct_free AS pct_free,
    t.num_rows AS num_rows,
    t.blocks AS blocks,
    t.avg_row_len AS avg_row_len,
    t.last_analyzed AS last_analyzed
FROM dba_tables t
