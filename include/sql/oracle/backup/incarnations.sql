-- purpose: tell the incarnations of the database and which of them lead to the current one
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT V_$DATABASE_INCARNATION
-- locks: none
-- licence: none
-- binds: none
-- columns: incarnation (number), resetlogs_scn (SCN at which it began), resetlogs_at (local time), prior_resetlogs_scn (SCN at which its parent began), status (CURRENT, PARENT or ORPHAN)
-- source: Oracle Database Reference 19c, V$DATABASE_INCARNATION
SELECT
    incarnation# AS incarnation,
    resetlogs_change# AS resetlogs_scn,
    resetlogs_time AS resetlogs_at,
    prior_resetlogs_change# AS prior_resetlogs_scn,
    status AS status
FROM v$database_incarnation
