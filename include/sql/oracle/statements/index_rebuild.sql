-- purpose: write an index anew
-- kind: change
-- engine: oracle 11.2-23
-- privileges: ALTER ANY INDEX, or owner of the index
-- locks: share on the table; with ONLINE (EE) for a moment at both ends
-- licence: none
-- binds: index (identifier: owner and index), options (keywords of the builder)
-- columns: none
-- source: SQL Language Reference 19c, ALTER INDEX, rebuild_clause
ALTER INDEX {index} REBUILD {options}
