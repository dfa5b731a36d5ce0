-- purpose: tell the accounts that may log on
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT DBA_USERS
-- locks: none
-- licence: none
-- binds: none
-- columns: account (user name), account_status (OPEN, LOCKED, ...)
-- source: Database Reference 19c, DBA_USERS
SELECT
    username AS account,
    account_status AS account_status
FROM dba_users
WHERE account_status NOT LIKE '%LOCKED%'
ORDER BY username
