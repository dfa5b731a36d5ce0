-- purpose: drop a sequence of an earlier copy
-- kind: change
-- engine: oracle 12.1-23
-- privileges: none beyond CREATE SESSION
-- locks: none
-- licence: none
-- binds: sequence (quoted)
-- columns: none
-- source: SQL Language Reference 19c, DROP SEQUENCE
DROP SEQUENCE {sequence}
