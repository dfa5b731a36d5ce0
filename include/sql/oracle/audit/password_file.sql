-- purpose: tell who may log on with SYSDBA
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT V_$PWFILE_USERS
-- locks: none
-- licence: none
-- binds: none
-- columns: account (user name)
-- source: Database Reference 19c, V$PWFILE_USERS
SELECT username AS account
FROM v$pwfile_users
WHERE sysdba = 'TRUE'
ORDER BY username
