-- One row per fingerprint of the interval: its normalised text, verb, objects, and whether it has a WHERE.
CREATE TABLE statements AS
SELECT fingerprint,
       any_value(coalesce(normalised, '')) AS normalised,
       any_value(coalesce(verb, '')) AS verb,
       any_value(coalesce(objects, []::VARCHAR[])) AS objects,
       any_value(has_where) AS has_where,
       sum(records)::BIGINT AS records,
       min(first_at) AS first_at,
       max(last_at) AS last_at
FROM source_statements
WHERE fingerprint <> ''
GROUP BY fingerprint
