-- Who used which statement on the baseline_days before.
CREATE VIEW baseline_use AS
SELECT u.* REPLACE (coalesce(u.account, '') AS account, coalesce(u.program, '') AS program),
       (u.first_at AT TIME ZONE getvariable('zone'))::DATE AS local_day
FROM source_baseline_use u
