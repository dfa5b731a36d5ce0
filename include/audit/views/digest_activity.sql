-- The digest by hour. `digested` is the records of the stretch; what tells no rows adds none, and a sum of nothing is unknown.
SELECT date_trunc('hour', event_time) AS "hour", action, object_schema, object_name, account, program, client, terminal, os_user,
       succeeded, return_code, count(*) AS records, sum("rows")::BIGINT AS "rows"
FROM digested
GROUP BY ALL
ORDER BY ALL NULLS LAST
