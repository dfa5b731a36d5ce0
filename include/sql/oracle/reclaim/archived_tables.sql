-- purpose: name the tables whose history a flashback archive keeps
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_FLASHBACK_ARCHIVE_TABLES
-- locks: none
-- licence: none
-- binds: none
-- columns: owner (of the table), name (table)
-- source: Database Reference 19c, DBA_FLASHBACK_ARCHIVE_TABLES
SELECT
    a.owner_name AS owner,
    a.table_name AS name
FROM dba_flashback_archive_tables a
