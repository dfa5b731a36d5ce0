-- The records of the interval with what is known of their way, objects, deed and local time.
CREATE TABLE records AS
WITH told AS (
    SELECT coalesce(r.event_time, r.received_time, getvariable('begin_at')) AS event_time, r.received_time,
           coalesce(r.event_time, r.received_time) AT TIME ZONE getvariable('zone') AS local_time,
           coalesce(r.instance, '') AS instance, coalesce(r.database, '') AS database, coalesce(r.session_id, '') AS session_id,
           coalesce(r.account, '') AS account, coalesce(r.current_user, '') AS current_account,
           coalesce(r.proxy_user, '') AS proxy_user, coalesce(r.os_user, '') AS os_user, coalesce(r.client, '') AS client,
           coalesce(r.terminal, '') AS terminal, coalesce(r.program, '') AS program, coalesce(r.action, '') AS action,
           coalesce(r.kind, '') AS kind, coalesce(r.return_code, '') AS return_code, r.succeeded,
           coalesce(r.privilege, '') AS privilege, coalesce(r.grantee, '') AS grantee, coalesce(r.new_name, '') AS new_name,
           coalesce(r.policies, []::VARCHAR[]) AS policies, coalesce(r.fingerprint, '') AS fingerprint,
           coalesce(r.marks, []::VARCHAR[]) AS marks, r."rows", r.duration_ms, coalesce(r.severity, '') AS severity,
           coalesce(r.authentication, '') AS authentication, coalesce(r.dialect, '') AS dialect, coalesce(r.file, '') AS file, r.line,
           touched(r.object_schema, r.object_name, r.objects, s.objects) AS objects,
           named(r.object_schema, r.object_name) AS first_object,
           coalesce(s.verb, '') AS verb, s.has_where
    FROM source_records r
    LEFT JOIN statements s USING (fingerprint)
)
SELECT t.* EXCLUDE (first_object),
       CASE WHEN t.first_object <> '' THEN t.first_object ELSE coalesce(t.objects[1], '') END AS object,
       CASE WHEN t.action <> 'COPY' THEN d.deed WHEN list_contains(t.marks, 'export') THEN 'read' ELSE 'write' END AS deed,
       t.succeeded IS NOT FALSE AND t.action <> 'CONNECTION' AS got_in, -- a connection that was received is no logon yet
       hour(t.local_time) AS local_hour,
       isodow(t.local_time) AS weekday,
       y.is_workday,
       y.is_frozen,
       y.is_workday AND t.local_time::TIME >= getvariable('work_from') AND t.local_time::TIME < getvariable('work_to')
           AS is_working_hour,
       l.important_object <> '' AS important,
       l.important_object,
       l.important_why,
       w.is_known, w.is_application, w.at_any_hour, w.is_administrator, w.is_own, w.is_own_account
FROM told t
JOIN ways w USING (account, program, client, os_user)
JOIN deeds d USING (action)
JOIN object_lists l USING (objects)
LEFT JOIN days y ON y.day = t.local_time::DATE
