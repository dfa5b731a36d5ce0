-- When each account was last seen before the interval, as far as the store reaches back.
CREATE VIEW past_accounts AS
SELECT account, min(hour) AS first_at, max(hour) AS last_at, sum(records)::BIGINT AS records
FROM source_past
WHERE coalesce(account, '') <> ''
GROUP BY account
