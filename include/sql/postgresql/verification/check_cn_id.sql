-- purpose: is the check digit of a resident id of 18 characters right, blanks and hyphens aside
-- kind: read
-- engine: postgresql 14-19
-- privileges: none
-- locks: none
-- licence: none
-- binds: value (expression: a text, or NULL)
-- columns: is_right (true, or false also for another structure; NULL for NULL)
-- source: GB 11643-1999, ISO 7064 MOD 11-2
SELECT CASE
    WHEN o.v !~ '^[0-9]{{17}}[0-9X]$' THEN false
    ELSE substr('10X98765432', (
            7 * (ascii(substr(o.v, 1, 1)) - 48) + 9 * (ascii(substr(o.v, 2, 1)) - 48) + 10 * (ascii(substr(o.v, 3, 1)) - 48)
            + 5 * (ascii(substr(o.v, 4, 1)) - 48) + 8 * (ascii(substr(o.v, 5, 1)) - 48) + 4 * (ascii(substr(o.v, 6, 1)) - 48)
            + 2 * (ascii(substr(o.v, 7, 1)) - 48) + 1 * (ascii(substr(o.v, 8, 1)) - 48) + 6 * (ascii(substr(o.v, 9, 1)) - 48)
            + 3 * (ascii(substr(o.v, 10, 1)) - 48) + 7 * (ascii(substr(o.v, 11, 1)) - 48)
            + 9 * (ascii(substr(o.v, 12, 1)) - 48) + 10 * (ascii(substr(o.v, 13, 1)) - 48)
            + 5 * (ascii(substr(o.v, 14, 1)) - 48) + 8 * (ascii(substr(o.v, 15, 1)) - 48)
            + 4 * (ascii(substr(o.v, 16, 1)) - 48) + 2 * (ascii(substr(o.v, 17, 1)) - 48)
        ) % 11 + 1, 1) = right(o.v, 1)
    END AS is_right
FROM (SELECT upper(translate({value}, ' -', '')) AS v) AS o
