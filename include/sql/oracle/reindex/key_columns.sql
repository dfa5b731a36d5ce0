-- purpose: tell the columns of each index of one table, and how long their values are
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_IND_COLUMNS, SELECT ON SYS.DBA_TAB_COLUMNS
-- locks: none
-- licence: none
-- binds: owner (of the table), name (of the table)
-- columns: index_owner (schema), index_name (index), position (from 1), column_name (column, or the hidden one of an expression), descend (ASC, DESC), avg_length (mean bytes with the length byte, statistics; null for an expression)
-- source: Database Reference 19c, DBA_IND_COLUMNS, DBA_TAB_COLUMNS
SELECT
    k.index_owner AS index_owner,
    k.index_name AS index_name,
    k.column_position AS position,
    k.column_name AS column_name,
    k.descend AS descend,
    c.avg_col_len AS avg_length
FROM dba_ind_columns k
LEFT JOIN dba_tab_columns c
    ON c.owner = k.table_owner
    AND c.table_name = k.table_name
    AND c.column_name = k.column_name
WHERE k.table_owner = :owner
AND k.table_name = :name
ORDER BY k.index_owner, k.index_name, k.column_position
