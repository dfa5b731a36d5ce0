-- purpose: forget the parts of earlier pictures and runs
-- kind: change
-- engine: oracle 12.1-23
-- privileges: none beyond CREATE SESSION
-- locks: row exclusive on the table
-- licence: none
-- binds: none
-- columns: none
-- source: SQL Language Reference 19c, DELETE
DELETE FROM drydock_parts
