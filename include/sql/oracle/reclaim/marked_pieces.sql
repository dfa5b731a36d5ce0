-- purpose: name the tables and partitions that are in the in-memory column store or read-only
-- kind: read
-- engine: oracle 12.2-23
-- privileges: SELECT ON SYS.DBA_TAB_PARTITIONS, SELECT ON SYS.DBA_TAB_SUBPARTITIONS, SELECT ON SYS.DBA_TABLES
-- locks: none
-- licence: none
-- binds: none
-- columns: owner (of the table), name (table), partition (null: the table), inmemory (ENABLED, DISABLED, NONE), read_only (YES, NO, NONE)
-- source: Database Reference 19c, DBA_TAB_PARTITIONS, DBA_TAB_SUBPARTITIONS, DBA_TABLES
SELECT
    t.owner AS owner,
    t.table_name AS name,
    NULL AS partition,
    t.inmemory AS inmemory,
    t.read_only AS read_only
FROM dba_tables t
WHERE t.inmemory = 'ENABLED' OR t.read_only = 'YES'
UNION ALL
SELECT
    p.table_owner AS owner,
    p.table_name AS name,
    p.partition_name AS partition,
    p.inmemory AS inmemory,
    p.read_only AS read_only
FROM dba_tab_partitions p
WHERE p.inmemory = 'ENABLED' OR p.read_only = 'YES'
UNION ALL
SELECT
    s.table_owner AS owner,
    s.table_name AS name,
    s.subpartition_name AS partition,
    s.inmemory AS inmemory,
    s.read_only AS read_only
FROM dba_tab_subpartitions s
WHERE s.inmemory = 'ENABLED' OR s.read_only = 'YES'
