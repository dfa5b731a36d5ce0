-- purpose: merge neighbouring leaf blocks of an index
-- kind: change
-- engine: oracle 11.2-23
-- privileges: ALTER ANY INDEX, or owner of the index
-- locks: none that DML waits for
-- licence: none
-- binds: index (identifier: owner and index)
-- columns: none
-- source: SQL Language Reference 19c, ALTER INDEX, COALESCE
ALTER INDEX {index} COALESCE
