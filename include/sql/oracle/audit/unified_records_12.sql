-- purpose: read the unified trail's records of a stretch of time; values of binds are never fetched (before 19c)
-- kind: read
-- engine: oracle 12.1-18
-- privileges: SELECT AUDSYS.UNIFIED_AUDIT_TRAIL
-- locks: none
-- licence: none
-- binds: begin_utc (text, YYYY-MM-DD HH24:MI:SS.FF6, UTC), end_utc (text, likewise; excluded)
-- columns: audit_type (Standard, FineGrainedAudit, ...), sessionid (session), proxy_sessionid (session of the proxy), os_username (OS user), userhost (client host), terminal (terminal), instance_id (instance), dbid (DBID), authentication_type (with the client's address), dbusername (account), dbproxy_username (proxy account), external_userid (external name), client_program_name (program), client_identifier (client id), entry_id (number in the session), statement_id (statement), event_timestamp_utc (time in UTC), action_name (action), return_code (ORA- error; 0), os_process (process), transaction_id (hexadecimal), scn (SCN), object_schema (owner), object_name (object), new_schema (owner), new_name (new name), target_user (grantee), role (role), object_privileges (privileges), system_privilege_used (privilege), current_username (effective user), additional_info (more), unified_audit_policies (policies), fga_policy_name (policy), has_binds (1 or 0), sql_text (statement)
-- source: Database Reference 12.1, 12.2 and 18c, UNIFIED_AUDIT_TRAIL (EVENT_TIMESTAMP, in the session's zone; EVENT_TIMESTAMP_UTC is documented from 19c on, so no partition is pruned here); SQL Language Reference, SYS_EXTRACT_UTC
SELECT
    audit_type AS audit_type,
    sessionid AS sessionid,
    proxy_sessionid AS proxy_sessionid,
    os_username AS os_username,
    userhost AS userhost,
    terminal AS terminal,
    instance_id AS instance_id,
    dbid AS dbid,
    authentication_type AS authentication_type,
    dbusername AS dbusername,
    dbproxy_username AS dbproxy_username,
    external_userid AS external_userid,
    client_program_name AS client_program_name,
    client_identifier AS client_identifier,
    entry_id AS entry_id,
    statement_id AS statement_id,
    SYS_EXTRACT_UTC(event_timestamp) AS event_timestamp_utc,
    action_name AS action_name,
    return_code AS return_code,
    os_process AS os_process,
    RAWTOHEX(transaction_id) AS transaction_id,
    scn AS scn,
    object_schema AS object_schema,
    object_name AS object_name,
    new_schema AS new_schema,
    new_name AS new_name,
    target_user AS target_user,
    role AS role,
    object_privileges AS object_privileges,
    system_privilege_used AS system_privilege_used,
    t.current_user AS current_username,
    additional_info AS additional_info,
    unified_audit_policies AS unified_audit_policies,
    fga_policy_name AS fga_policy_name,
    CASE WHEN sql_binds IS NULL THEN 0 ELSE 1 END AS has_binds,
    sql_text AS sql_text
FROM unified_audit_trail t
WHERE
    SYS_EXTRACT_UTC(event_timestamp) >= TO_TIMESTAMP(:begin_utc, 'YYYY-MM-DD HH24:MI:SS.FF6')
    AND SYS_EXTRACT_UTC(event_timestamp) < TO_TIMESTAMP(:end_utc, 'YYYY-MM-DD HH24:MI:SS.FF6')
ORDER BY event_timestamp, instance_id, sessionid, entry_id, statement_id
