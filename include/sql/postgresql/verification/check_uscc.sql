-- purpose: is the check character of a unified social credit code right, blanks and hyphens aside
-- kind: read
-- engine: postgresql 14-19
-- privileges: none
-- locks: none
-- licence: none
-- binds: value (expression: a text, or NULL)
-- columns: is_right (true, or false also for another structure; NULL for NULL)
-- source: GB 32100-2015
SELECT CASE
    WHEN o.v !~ '^[0-9A-HJ-NPQRTUWXY]{{18}}$' THEN false
    ELSE (31 - (
            1 * (strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(o.v, 1, 1)) - 1)
            + 3 * (strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(o.v, 2, 1)) - 1)
            + 9 * (strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(o.v, 3, 1)) - 1)
            + 27 * (strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(o.v, 4, 1)) - 1)
            + 19 * (strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(o.v, 5, 1)) - 1)
            + 26 * (strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(o.v, 6, 1)) - 1)
            + 16 * (strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(o.v, 7, 1)) - 1)
            + 17 * (strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(o.v, 8, 1)) - 1)
            + 20 * (strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(o.v, 9, 1)) - 1)
            + 29 * (strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(o.v, 10, 1)) - 1)
            + 25 * (strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(o.v, 11, 1)) - 1)
            + 13 * (strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(o.v, 12, 1)) - 1)
            + 8 * (strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(o.v, 13, 1)) - 1)
            + 24 * (strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(o.v, 14, 1)) - 1)
            + 10 * (strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(o.v, 15, 1)) - 1)
            + 30 * (strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(o.v, 16, 1)) - 1)
            + 28 * (strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(o.v, 17, 1)) - 1)
        ) % 31) % 31 = (strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(o.v, 18, 1)) - 1)
    END AS is_right
FROM (SELECT upper(translate({value}, ' -', '')) AS v) AS o
