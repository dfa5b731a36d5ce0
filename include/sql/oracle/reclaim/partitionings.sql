-- purpose: tell how each partitioned table is divided
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_PART_TABLES
-- locks: none
-- licence: none
-- binds: none
-- columns: owner (of the table), name (table), type (RANGE, LIST, HASH, REFERENCE, SYSTEM), interval_expression (null: none), def_compression (of new partitions: ENABLED, DISABLED, NONE)
-- source: Database Reference 19c, DBA_PART_TABLES
SELECT
    p.owner AS owner,
    p.table_name AS name,
    p.partitioning_type AS type,
    p.interval AS interval_expression,
    p.def_compression AS def_compression
FROM dba_part_tables p
