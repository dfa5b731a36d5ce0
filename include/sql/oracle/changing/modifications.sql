-- purpose: tell what changed in one table since its statistics were gathered, as far as it is flushed
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_TAB_MODIFICATIONS
-- locks: none
-- licence: none
-- binds: owner (of the table), name (of the table)
-- columns: partition (partition or subpartition; null: the whole table), inserts (rows), updates (rows), deletes (rows), flushed_at (local time of the host), truncated (YES, NO)
-- source: Database Reference 19c, DBA_TAB_MODIFICATIONS
SELECT
    NVL(m.subpartition_name, m.partition_name) AS partition,
    m.inserts AS inserts,
    m.updates AS updates,
    m.deletes AS deletes,
    m.timestamp AS flushed_at,
    m.truncated AS truncated
FROM dba_tab_modifications m
WHERE m.table_owner = :owner
AND m.table_name = :name
