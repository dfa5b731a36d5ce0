-- purpose: list the identity columns of one schema
-- kind: read
-- engine: oracle 12.1-23
-- privileges: SELECT ON SYS.DBA_TAB_IDENTITY_COLS
-- locks: none
-- licence: none
-- binds: owner (schema)
-- columns: table_name (table), name (column), generation (ALWAYS, BY DEFAULT), sequence_name (sequence behind it)
-- source: Database Reference 19c, DBA_TAB_IDENTITY_COLS
SELECT
    i.table_name AS table_name,
    i.column_name AS name,
    i.generation_type AS generation,
    i.sequence_name AS sequence_name
FROM dba_tab_identity_cols i
WHERE i.owner = :owner
ORDER BY i.table_name
