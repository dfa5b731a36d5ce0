-- purpose: pack the segment of a LOB column; a SecureFiles one only from 21c on
-- kind: change
-- engine: oracle 11.2-23
-- privileges: ALTER ANY TABLE, or owner of the table
-- locks: rows while they move; exclusive for a moment at the end
-- licence: none
-- binds: table (identifier: owner and table), column (identifier: the LOB column)
-- columns: none
-- source: SQL Language Reference 19c, ALTER TABLE, modify_LOB_storage_clause; 21c, the same clause for SecureFiles
ALTER TABLE {table} MODIFY LOB ({column}) (SHRINK SPACE)
