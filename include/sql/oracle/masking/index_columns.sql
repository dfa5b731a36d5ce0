-- purpose: list the columns of the indexes on one schema's tables; an expression stands as a hidden column of the table
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_IND_COLUMNS
-- locks: none
-- licence: none
-- binds: owner (schema of the tables)
-- columns: owner (of the index), name (index), column_name (column), position (place, from 1), descending (ASC, DESC)
-- source: Database Reference 19c, DBA_IND_COLUMNS
SELECT
    i.index_owner AS owner,
    i.index_name AS name,
    i.column_name AS column_name,
    i.column_position AS position,
    i.descend AS descending
FROM dba_ind_columns i
WHERE i.table_owner = :owner
ORDER BY i.index_owner, i.index_name, i.column_position
