-- purpose: tell the server's clock and who asks
-- kind: read
-- engine: oracle 11.2-23
-- privileges: none beyond CREATE SESSION
-- locks: none
-- licence: none
-- binds: none
-- columns: now_at (time in UTC), account (who asks)
-- source: SQL Language Reference 19c, SYSTIMESTAMP, SYS_EXTRACT_UTC, SYS_CONTEXT
SELECT
    SYS_EXTRACT_UTC(SYSTIMESTAMP) AS now_at,
    SYS_CONTEXT('USERENV', 'SESSION_USER') AS account
FROM dual
