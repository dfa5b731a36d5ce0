-- purpose: name the blockchain and immutable tables
-- kind: read
-- engine: oracle 21-23
-- privileges: SELECT ON SYS.DBA_BLOCKCHAIN_TABLES, SELECT ON SYS.DBA_IMMUTABLE_TABLES
-- locks: none
-- licence: none
-- binds: none
-- columns: owner (of the table), name (table)
-- source: Database Reference 19c, DBA_BLOCKCHAIN_TABLES, DBA_IMMUTABLE_TABLES
SELECT
    b.schema_name AS owner,
    b.table_name AS name
FROM dba_blockchain_tables b
UNION ALL
SELECT
    i.schema_name AS owner,
    i.table_name AS name
FROM dba_immutable_tables i
