-- purpose: name the columns of one table that forbid a method: LONG, and those of an object type
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_TAB_COLUMNS
-- locks: none
-- licence: none
-- binds: owner (of the table), name (of the table)
-- columns: name (column), type (LONG, LONG RAW, or the object type), type_owner (null: a built-in type)
-- source: Database Reference 19c, DBA_TAB_COLUMNS
SELECT
    c.column_name AS name,
    c.data_type AS type,
    c.data_type_owner AS type_owner
FROM dba_tab_columns c
WHERE c.owner = :owner
AND c.table_name = :name
AND (c.data_type IN ('LONG', 'LONG RAW') OR c.data_type_owner IS NOT NULL)
