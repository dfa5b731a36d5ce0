-- purpose: is the check digit of a bank card of 13 to 19 digits right, blanks and hyphens aside
-- kind: read
-- engine: postgresql 14-19
-- privileges: none
-- locks: none
-- licence: none
-- binds: value (expression: a text, or NULL)
-- columns: is_right (true, or false also for another structure; NULL for NULL)
-- source: ISO/IEC 7812-1, annex B (Luhn); a shorter number is filled up with zeros on its left, which count nothing
SELECT CASE
    WHEN o.v IS NULL THEN NULL
    WHEN o.given !~ '^[0-9]{{13,19}}$' THEN false
    ELSE (
            (ascii(substr(o.v, 1, 1)) - 48) + (ascii(substr('0246813579', (ascii(substr(o.v, 2, 1)) - 48)
            + 1, 1)) - 48) + (ascii(substr(o.v, 3, 1)) - 48)
            + (ascii(substr('0246813579', (ascii(substr(o.v, 4, 1)) - 48) + 1, 1)) - 48)
            + (ascii(substr(o.v, 5, 1)) - 48) + (ascii(substr('0246813579', (ascii(substr(o.v, 6, 1)) - 48)
            + 1, 1)) - 48) + (ascii(substr(o.v, 7, 1)) - 48)
            + (ascii(substr('0246813579', (ascii(substr(o.v, 8, 1)) - 48) + 1, 1)) - 48)
            + (ascii(substr(o.v, 9, 1)) - 48)
            + (ascii(substr('0246813579', (ascii(substr(o.v, 10, 1)) - 48) + 1, 1)) - 48)
            + (ascii(substr(o.v, 11, 1)) - 48)
            + (ascii(substr('0246813579', (ascii(substr(o.v, 12, 1)) - 48) + 1, 1)) - 48)
            + (ascii(substr(o.v, 13, 1)) - 48)
            + (ascii(substr('0246813579', (ascii(substr(o.v, 14, 1)) - 48) + 1, 1)) - 48)
            + (ascii(substr(o.v, 15, 1)) - 48)
            + (ascii(substr('0246813579', (ascii(substr(o.v, 16, 1)) - 48) + 1, 1)) - 48)
            + (ascii(substr(o.v, 17, 1)) - 48)
            + (ascii(substr('0246813579', (ascii(substr(o.v, 18, 1)) - 48) + 1, 1)) - 48)
            + (ascii(substr(o.v, 19, 1)) - 48)
        ) % 10 = 0
    END AS is_right
FROM (SELECT lpad(translate({value}, ' -', ''), 19, '0') AS v, translate({value}, ' -', '') AS given) AS o
