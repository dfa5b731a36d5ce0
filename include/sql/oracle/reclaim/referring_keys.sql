-- purpose: name the enabled foreign keys that refer to a key of one table
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_CONSTRAINTS
-- locks: none
-- licence: none
-- binds: owner (of the table), name (of the table)
-- columns: owner (of the referring table), table_name (the referring table), name (of the foreign key)
-- source: Database Reference 19c, DBA_CONSTRAINTS
SELECT
    f.owner AS owner,
    f.table_name AS table_name,
    f.constraint_name AS name
FROM dba_constraints f
JOIN dba_constraints k ON k.owner = f.r_owner AND k.constraint_name = f.r_constraint_name
WHERE f.constraint_type = 'R'
AND f.status = 'ENABLED'
AND k.owner = :owner
AND k.table_name = :name
