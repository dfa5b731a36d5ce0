-- How the accounts of the interval came: one row per account, program, client and operating-system user, and what the approved
-- ways say of it. What a record does not tell (empty) is not held against it.
CREATE TABLE ways AS
WITH used AS (
    SELECT coalesce(account, '') AS account, coalesce(program, '') AS program, coalesce(client, '') AS client,
           coalesce(os_user, '') AS os_user, count(*) AS records, min(event_time) AS first_at, max(event_time) AS last_at
    FROM source_records
    GROUP BY ALL
),
judged AS (
    SELECT u.account, u.program, u.client, u.os_user,
           count(a.entry) > 0 AS account_known,
           coalesce(bool_or(passes(u.program, a.programs)), false) AS program_known,
           coalesce(bool_or(passes(u.client, a.clients)), false) AS client_known,
           coalesce(bool_or(passes(u.os_user, a.os_users)), false) AS os_user_known,
           coalesce(bool_or(is_way(u.program, u.client, u.os_user, a.programs, a.clients, a.os_users)), false) AS is_known,
           coalesce(bool_or(a.at_any_hour AND is_way(u.program, u.client, u.os_user, a.programs, a.clients, a.os_users)), false)
               AS at_any_hour,
           coalesce(bool_or((a.at_any_hour OR a.is_application)
               AND is_way(u.program, u.client, u.os_user, a.programs, a.clients, a.os_users)), false) AS is_application,
           CASE WHEN bool_or(a.entry IS NOT NULL AND a.people IS NULL) THEN NULL ELSE coalesce(max(a.people), 1) END AS people
    FROM used u
    LEFT JOIN allowed a ON matches(u.account, a.accounts)
    GROUP BY ALL
)
SELECT u.*, j.account_known, j.program_known, j.client_known, j.os_user_known, j.is_known, j.at_any_hour, j.is_application, j.people,
       EXISTS (SELECT 1 FROM administrators m WHERE matches(u.account, [m.pattern])) AS is_administrator,
       EXISTS (SELECT 1 FROM own_accounts o WHERE matches(u.account, o.accounts)) AS is_own_account,
       EXISTS (SELECT 1 FROM own_accounts o
               WHERE matches(u.account, o.accounts) AND matches(u.client, o.clients)
                 AND passes(u.program, o.programs) AND passes(u.os_user, o.os_users)) AS is_own
FROM used u
JOIN judged j USING (account, program, client, os_user)
