-- purpose: count the ranges of blocks that a reader or a check of backups found corrupt
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.V_$DATABASE_BLOCK_CORRUPTION
-- locks: none
-- licence: none
-- binds: none
-- columns: ranges (of corrupt blocks)
-- source: Database Reference 19c, V$DATABASE_BLOCK_CORRUPTION
SELECT COUNT(*) AS ranges
FROM v$database_block_corruption c
