-- Digests by hour, with what was done and the local day and hour; the table's name is given.
CREATE MACRO by_local_hour(digests) AS TABLE
SELECT a.* REPLACE (coalesce(a.account, '') AS account, coalesce(a.program, '') AS program, coalesce(a.client, '') AS client,
                    coalesce(a.os_user, '') AS os_user, coalesce(a.action, '') AS action),
       named(a.object_schema, a.object_name) AS object,
       d.deed,
       (a.hour AT TIME ZONE getvariable('zone'))::DATE AS local_day,
       hour(a.hour AT TIME ZONE getvariable('zone')) AS local_hour,
       y.is_workday
FROM query_table(digests) a
JOIN deeds d ON d.action = coalesce(a.action, '')
LEFT JOIN days y ON y.day = (a.hour AT TIME ZONE getvariable('zone'))::DATE
