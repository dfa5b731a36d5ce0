-- purpose: read the traditional trail's records of a stretch of time; values of binds are never fetched
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT DBA_AUDIT_TRAIL
-- locks: none
-- licence: none
-- binds: begin_at (text, YYYY-MM-DD HH24:MI:SS.FF6 TZH:TZM), end_at (text, likewise; excluded)
-- columns: sessionid (session), proxy_sessionid (session of the proxy), os_username (OS user), userhost (client host), terminal (terminal), instance_number (instance), dbid (DBID), username (account), client_id (client id), entryid (number in the session), statementid (statement), event_time_utc (time in UTC), action_name (action), returncode (ORA- error; 0), os_process (process), transactionid (hexadecimal), scn (SCN), owner (owner), obj_name (object), new_owner (owner), new_name (new name), grantee (grantee), obj_privilege (privileges), sys_privilege (privilege given), ses_actions (actions of a session), priv_used (privilege), comment_text (more, with the client's address), has_binds (1 or 0), sql_text (statement, with audit_trail=db,extended)
-- source: Database Reference 19c, DBA_AUDIT_TRAIL
SELECT
    sessionid AS sessionid,
    proxy_sessionid AS proxy_sessionid,
    os_username AS os_username,
    userhost AS userhost,
    terminal AS terminal,
    instance_number AS instance_number,
    dbid AS dbid,
    username AS username,
    client_id AS client_id,
    entryid AS entryid,
    statementid AS statementid,
    SYS_EXTRACT_UTC(extended_timestamp) AS event_time_utc,
    action_name AS action_name,
    returncode AS returncode,
    os_process AS os_process,
    RAWTOHEX(transactionid) AS transactionid,
    scn AS scn,
    owner AS owner,
    obj_name AS obj_name,
    new_owner AS new_owner,
    new_name AS new_name,
    grantee AS grantee,
    obj_privilege AS obj_privilege,
    sys_privilege AS sys_privilege,
    ses_actions AS ses_actions,
    priv_used AS priv_used,
    comment_text AS comment_text,
    CASE WHEN sql_bind IS NULL THEN 0 ELSE 1 END AS has_binds,
    TO_CHAR(sql_text) AS sql_text
FROM dba_audit_trail
WHERE
    extended_timestamp >= TO_TIMESTAMP_TZ(:begin_at, 'YYYY-MM-DD HH24:MI:SS.FF6 TZH:TZM')
    AND extended_timestamp < TO_TIMESTAMP_TZ(:end_at, 'YYYY-MM-DD HH24:MI:SS.FF6 TZH:TZM')
ORDER BY extended_timestamp, instance_number, sessionid, entryid, statementid
