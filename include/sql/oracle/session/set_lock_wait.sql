-- purpose: let DDL of this session wait a little for a lock, instead of failing at once with ORA-00054
-- kind: session
-- engine: oracle 11.2-23
-- privileges: none beyond CREATE SESSION
-- locks: none
-- licence: none
-- binds: seconds (literal: whole seconds)
-- columns: none
-- source: Database Reference 19c, DDL_LOCK_TIMEOUT
ALTER SESSION SET DDL_LOCK_TIMEOUT = {seconds}
