-- purpose: is the check digit of an IMO number of a ship right, with or without the letters IMO
-- kind: read
-- engine: postgresql 14-19
-- privileges: none
-- locks: none
-- licence: none
-- binds: value (expression: a text, or NULL)
-- columns: is_right (true, or false also for another structure; NULL for NULL)
-- source: IMO resolution A.1117(30)
SELECT CASE
    WHEN o.v !~ '^[0-9]{{7}}$' THEN false
    ELSE (7 * (ascii(substr(o.v, 1, 1)) - 48) + 6 * (ascii(substr(o.v, 2, 1)) - 48) + 5 * (ascii(substr(o.v, 3, 1)) - 48) + 4 * (ascii(substr(o.v, 4, 1)) - 48) + 3 * (ascii(substr(o.v, 5, 1)) - 48) + 2 * (ascii(substr(o.v, 6, 1)) - 48)) % 10 = (ascii(substr(o.v, 7, 1)) - 48)
    END AS is_right
FROM (SELECT regexp_replace(upper(translate({value}, ' -', '')), '^IMO', '') AS v) AS o
