-- purpose: list how the tables of one schema are divided
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_PART_TABLES
-- locks: none
-- licence: none
-- binds: owner (schema)
-- columns: name (table), strategy (RANGE, LIST, HASH, REFERENCE, SYSTEM), sub_strategy (NONE, RANGE, LIST, HASH), interval (expression; null: none)
-- source: Database Reference 19c, DBA_PART_TABLES
SELECT
    p.table_name AS name,
    p.partitioning_type AS strategy,
    p.subpartitioning_type AS sub_strategy,
    p.interval AS interval
FROM dba_part_tables p
WHERE p.owner = :owner
ORDER BY p.table_name
