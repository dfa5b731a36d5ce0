-- purpose: list the columns that the tables of one schema are divided by
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_PART_KEY_COLUMNS
-- locks: none
-- licence: none
-- binds: owner (schema)
-- columns: name (table), column_name (column), position (place, from 1)
-- source: Database Reference 19c, DBA_PART_KEY_COLUMNS
SELECT
    k.name AS name,
    k.column_name AS column_name,
    k.column_position AS position
FROM dba_part_key_columns k
WHERE k.owner = :owner
AND k.object_type = 'TABLE'
ORDER BY k.name, k.column_position
