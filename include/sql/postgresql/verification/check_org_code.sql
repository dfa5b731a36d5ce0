-- purpose: is the check character of an organisation code right, blanks and hyphens aside
-- kind: read
-- engine: postgresql 14-19
-- privileges: none
-- locks: none
-- licence: none
-- binds: value (expression: a text, or NULL)
-- columns: is_right (true, or false also for another structure; NULL for NULL)
-- source: GB 11714-1997
SELECT CASE
    WHEN o.v !~ '^[0-9A-Z]{{8}}[0-9X]$' THEN false
    ELSE substr('0123456789X0', (11 - (
            3 * (strpos('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', substr(o.v, 1, 1)) - 1)
            + 7 * (strpos('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', substr(o.v, 2, 1)) - 1)
            + 9 * (strpos('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', substr(o.v, 3, 1)) - 1)
            + 10 * (strpos('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', substr(o.v, 4, 1)) - 1)
            + 5 * (strpos('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', substr(o.v, 5, 1)) - 1)
            + 8 * (strpos('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', substr(o.v, 6, 1)) - 1)
            + 4 * (strpos('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', substr(o.v, 7, 1)) - 1)
            + 2 * (strpos('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', substr(o.v, 8, 1)) - 1)
        ) % 11) + 1, 1) = right(o.v, 1)
    END AS is_right
FROM (SELECT upper(translate({value}, ' -', '')) AS v) AS o
