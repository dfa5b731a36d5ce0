-- The digest by statement: who used which how often, first and last.
SELECT fingerprint, account, program, count(*) AS records, count(*) FILTER (succeeded = false) AS failures,
       sum("rows")::BIGINT AS "rows", sum(duration_ms) AS duration_ms, min(event_time) AS first_at, max(event_time) AS last_at
FROM digested
WHERE fingerprint <> ''
GROUP BY ALL
ORDER BY fingerprint, account, program
