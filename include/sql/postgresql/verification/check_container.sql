-- purpose: is the check digit of a freight container right, blanks and hyphens aside
-- kind: read
-- engine: postgresql 14-19
-- privileges: none
-- locks: none
-- licence: none
-- binds: value (expression: a text, or NULL)
-- columns: is_right (true, or false also for another structure; NULL for NULL)
-- source: ISO 6346:2022, annex A
SELECT CASE
    WHEN o.v !~ '^[A-Z]{{3}}[UJZ][0-9]{{7}}$' THEN false
    ELSE (
            1 * (strpos('0123456789A?BCDEFGHIJK?LMNOPQRSTU?VWXYZ', substr(o.v, 1, 1)) - 1)
            + 2 * (strpos('0123456789A?BCDEFGHIJK?LMNOPQRSTU?VWXYZ', substr(o.v, 2, 1)) - 1)
            + 4 * (strpos('0123456789A?BCDEFGHIJK?LMNOPQRSTU?VWXYZ', substr(o.v, 3, 1)) - 1)
            + 8 * (strpos('0123456789A?BCDEFGHIJK?LMNOPQRSTU?VWXYZ', substr(o.v, 4, 1)) - 1)
            + 16 * (strpos('0123456789A?BCDEFGHIJK?LMNOPQRSTU?VWXYZ', substr(o.v, 5, 1)) - 1)
            + 32 * (strpos('0123456789A?BCDEFGHIJK?LMNOPQRSTU?VWXYZ', substr(o.v, 6, 1)) - 1)
            + 64 * (strpos('0123456789A?BCDEFGHIJK?LMNOPQRSTU?VWXYZ', substr(o.v, 7, 1)) - 1)
            + 128 * (strpos('0123456789A?BCDEFGHIJK?LMNOPQRSTU?VWXYZ', substr(o.v, 8, 1)) - 1)
            + 256 * (strpos('0123456789A?BCDEFGHIJK?LMNOPQRSTU?VWXYZ', substr(o.v, 9, 1)) - 1)
            + 512 * (strpos('0123456789A?BCDEFGHIJK?LMNOPQRSTU?VWXYZ', substr(o.v, 10, 1)) - 1)
        ) % 11 % 10 = (ascii(substr(o.v, 11, 1)) - 48)
    END AS is_right
FROM (SELECT upper(translate({value}, ' -', '')) AS v) AS o
