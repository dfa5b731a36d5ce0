-- Bursts folded: the same by the same within burst_seconds is one hit. `found` is what the rule's query returned.
WITH marked AS (
    SELECT *, row_number() OVER same = 1
              OR first_at > max(last_at) OVER (same ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) + to_seconds($burst_seconds)
              AS begins
    FROM found
    WINDOW same AS (PARTITION BY account, program, client, os_user, action, object, fingerprint ORDER BY first_at, last_at)
),
numbered AS (
    SELECT *, count(*) FILTER (begins) OVER (
        PARTITION BY account, program, client, os_user, action, object, fingerprint ORDER BY first_at, last_at ROWS UNBOUNDED PRECEDING
    ) AS burst
    FROM marked
)
SELECT account, program, client, os_user, action, object, fingerprint, burst,
       min(first_at) AS first_at, max(last_at) AS last_at, sum(records)::BIGINT AS records, sum("rows")::BIGINT AS "rows",
       max(score) AS score,
       max(COLUMNS(lambda c: c LIKE 'evidence\_%' ESCAPE '\')),
       count(*) OVER () AS all_hits
FROM numbered
GROUP BY account, program, client, os_user, action, object, fingerprint, burst
ORDER BY score DESC, records DESC, first_at, account, object
LIMIT $most
