-- purpose: list the columns of one schema that a person made invisible: SELECT * leaves them out, and a copy must not
-- kind: read
-- engine: oracle 12.1-23
-- privileges: SELECT ON SYS.DBA_TAB_COLS
-- locks: none
-- licence: none
-- binds: owner (schema)
-- columns: table_name (table), name (column)
-- source: Database Reference 19c, DBA_TAB_COLS (HIDDEN_COLUMN, USER_GENERATED)
SELECT
    c.table_name AS table_name,
    c.column_name AS name
FROM dba_tab_cols c
WHERE c.owner = :owner
AND c.hidden_column = 'YES'
AND c.user_generated = 'YES'
ORDER BY c.table_name, c.internal_column_id
