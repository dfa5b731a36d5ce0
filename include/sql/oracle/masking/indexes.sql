-- purpose: list the indexes of one schema's tables, without those of LOBs
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_INDEXES
-- locks: none
-- licence: none
-- binds: owner (schema of the tables)
-- columns: table_name (table), owner (of the index), name (name), type (NORMAL, BITMAP, FUNCTION-BASED NORMAL, DOMAIN, ...), uniqueness (UNIQUE, NONUNIQUE), is_partitioned (YES, NO)
-- source: Database Reference 19c, DBA_INDEXES
SELECT
    i.table_name AS table_name,
    i.owner AS owner,
    i.index_name AS name,
    i.index_type AS type,
    i.uniqueness AS uniqueness,
    i.partitioned AS is_partitioned
FROM dba_indexes i
WHERE i.table_owner = :owner
AND i.index_type <> 'LOB'
ORDER BY i.table_name, i.owner, i.index_name
