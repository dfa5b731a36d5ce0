-- purpose: write a LOB column and its table anew in segments without holes
-- kind: change
-- engine: oracle 11.2-23
-- privileges: ALTER ANY TABLE, or owner of the table
-- locks: exclusive to the end; with ONLINE (12.2, EE) for a moment at both ends
-- licence: none
-- binds: table (identifier: owner and table), online (keyword: ONLINE, or nothing), column (identifier: the LOB column), tablespace (identifier: where the LOB lies)
-- columns: none
-- source: SQL Language Reference 19c, ALTER TABLE, move_table_clause, LOB_storage_clause
ALTER TABLE {table} MOVE {online} LOB ({column}) STORE AS (TABLESPACE {tablespace})
