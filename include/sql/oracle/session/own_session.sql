-- purpose: tell on which instance this session runs: another session may be on another one
-- kind: read
-- engine: oracle 11.2-23
-- privileges: none beyond CREATE SESSION
-- locks: none
-- licence: none
-- binds: none
-- columns: sid (session id), instance (instance number)
-- source: SQL Language Reference 19c, SYS_CONTEXT
SELECT
    to_number(sys_context('USERENV', 'SID')) AS sid,
    to_number(sys_context('USERENV', 'INSTANCE')) AS instance
FROM dual
