-- purpose: pack the rows of a table and, without COMPACT, lower its high-water mark
-- kind: change
-- engine: oracle 11.2-23
-- privileges: ALTER ANY TABLE, or owner of the table
-- locks: rows while they move; exclusive for a moment at the end, not with COMPACT
-- licence: none
-- binds: table (identifier: owner and table), options (keywords of the builder)
-- columns: none
-- source: SQL Language Reference 19c, ALTER TABLE, shrink_clause
ALTER TABLE {table} SHRINK SPACE {options}
