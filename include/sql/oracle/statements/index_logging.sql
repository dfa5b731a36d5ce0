-- purpose: set the logging of an index back, which a rebuild without redo leaves behind
-- kind: change
-- engine: oracle 11.2-23
-- privileges: ALTER ANY INDEX, or owner of the index
-- locks: exclusive, for a moment
-- licence: none
-- binds: index (identifier: owner and index), logging (keyword: LOGGING, NOLOGGING)
-- columns: none
-- source: SQL Language Reference 19c, ALTER INDEX, logging_clause
ALTER INDEX {index} {logging}
