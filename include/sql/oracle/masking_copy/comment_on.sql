-- purpose: put a scrubbed comment on a table or column of a copy
-- kind: change
-- engine: oracle 12.1-23
-- privileges: none beyond CREATE SESSION
-- locks: none
-- licence: none
-- binds: what (TABLE, COLUMN), thing (quoted), text (literal)
-- columns: none
-- source: SQL Language Reference 19c, COMMENT
COMMENT ON {what} {thing} IS {text}
