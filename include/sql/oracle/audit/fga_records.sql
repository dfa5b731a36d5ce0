-- purpose: read the fine-grained trail's records of a stretch of time; values of binds are never fetched
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT DBA_FGA_AUDIT_TRAIL
-- locks: none
-- licence: none
-- binds: begin_at (text, YYYY-MM-DD HH24:MI:SS.FF6 TZH:TZM), end_at (text, likewise; excluded)
-- columns: session_id (session), proxy_sessionid (session of the proxy), os_user (OS user), userhost (client host), instance_number (instance), dbid (DBID), db_user (account), ext_name (external name), client_id (client id), entryid (number in the session), statementid (statement), event_time_utc (time in UTC), statement_type (SELECT, INSERT, UPDATE, DELETE), os_process (process), transactionid (hexadecimal), scn (SCN), object_schema (owner), object_name (object), policy_name (policy), comment_text (more), has_binds (1 or 0), sql_text (statement)
-- source: Database Reference 19c, DBA_FGA_AUDIT_TRAIL
SELECT
    session_id AS session_id,
    proxy_sessionid AS proxy_sessionid,
    os_user AS os_user,
    userhost AS userhost,
    instance_number AS instance_number,
    dbid AS dbid,
    db_user AS db_user,
    ext_name AS ext_name,
    client_id AS client_id,
    entryid AS entryid,
    statementid AS statementid,
    SYS_EXTRACT_UTC(extended_timestamp) AS event_time_utc,
    statement_type AS statement_type,
    os_process AS os_process,
    RAWTOHEX(transactionid) AS transactionid,
    scn AS scn,
    object_schema AS object_schema,
    object_name AS object_name,
    policy_name AS policy_name,
    comment$text AS comment_text,
    CASE WHEN sql_bind IS NULL THEN 0 ELSE 1 END AS has_binds,
    TO_CHAR(sql_text) AS sql_text
FROM dba_fga_audit_trail
WHERE
    extended_timestamp >= TO_TIMESTAMP_TZ(:begin_at, 'YYYY-MM-DD HH24:MI:SS.FF6 TZH:TZM')
    AND extended_timestamp < TO_TIMESTAMP_TZ(:end_at, 'YYYY-MM-DD HH24:MI:SS.FF6 TZH:TZM')
ORDER BY extended_timestamp, instance_number, session_id, entryid, statementid
