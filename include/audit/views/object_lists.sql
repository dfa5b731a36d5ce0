-- Every combination of objects that a record of the interval touches, and the first important one among them.
CREATE TABLE object_lists AS
WITH seen AS (
    SELECT DISTINCT touched(r.object_schema, r.object_name, r.objects, s.objects) AS objects
    FROM source_records r
    LEFT JOIN statements s USING (fingerprint)
),
one AS (SELECT DISTINCT unnest(objects) AS object FROM seen),
judged AS (
    SELECT o.object, min(p.why) AS why
    FROM one o
    JOIN important p ON lower(o.object) GLOB (CASE WHEN contains(o.object, '.') THEN p.pattern ELSE p.bare END)
    GROUP BY o.object
),
each AS (SELECT objects, unnest(objects) AS object FROM seen),
worst AS (
    SELECT e.objects, min(e.object) AS important_object, arg_min(j.why, e.object) AS important_why
    FROM each e
    JOIN judged j USING (object)
    GROUP BY e.objects
)
SELECT s.objects, coalesce(w.important_object, '') AS important_object, coalesce(w.important_why, '') AS important_why
FROM seen s
LEFT JOIN worst w USING (objects)
