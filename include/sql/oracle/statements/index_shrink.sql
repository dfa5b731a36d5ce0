-- purpose: pack the leaf blocks of an index; without COMPACT its free blocks go back to the tablespace
-- kind: change
-- engine: oracle 11.2-23
-- privileges: ALTER ANY INDEX, or owner of the index
-- locks: rows while they move; without COMPACT exclusive for a moment at the end
-- licence: none
-- binds: index (identifier: owner and index), options (keywords of the builder)
-- columns: none
-- source: SQL Language Reference 19c, ALTER INDEX, shrink_clause; not for function-based and bitmap join indexes
ALTER INDEX {index} SHRINK SPACE {options}
