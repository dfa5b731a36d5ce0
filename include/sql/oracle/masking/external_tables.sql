-- purpose: list the tables of one schema whose rows lie in files: they have no ROWID ranges and no SCN
-- kind: read
-- engine: oracle 12.2-23
-- privileges: SELECT ON SYS.DBA_TABLES
-- locks: none
-- licence: none
-- binds: owner (schema)
-- columns: name (table)
-- source: Database Reference 19c, DBA_TABLES (EXTERNAL)
SELECT t.table_name AS name
FROM dba_tables t
WHERE t.owner = :owner
AND t.external = 'YES'
ORDER BY t.table_name
