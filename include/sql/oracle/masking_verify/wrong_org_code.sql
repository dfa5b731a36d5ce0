-- purpose: count values of one column whose check character of an organisation code is not right, blanks and hyphens aside; NULL is not counted
-- kind: question
-- engine: oracle 11.2-23
-- privileges: READ on the table, FLASHBACK on it for an older SCN; or its owner
-- locks: none
-- licence: none
-- binds: value (a text of the alias t), relation (owner and table, quoted, with AS OF SCN where one is wanted, alias t), condition (on the alias t)
-- columns: found (wrong ones, and those of another structure)
-- source: GB 11714-1997
SELECT COUNT(CASE
    WHEN REGEXP_LIKE(o.v, '^[0-9A-Z]{8}[0-9X]$') AND SUBSTR('0123456789X0', 12 - MOD(
            3 * INSTR('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', SUBSTR(o.v, 1, 1))
            + 7 * INSTR('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', SUBSTR(o.v, 2, 1))
            + 9 * INSTR('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', SUBSTR(o.v, 3, 1))
            + 10 * INSTR('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', SUBSTR(o.v, 4, 1))
            + 5 * INSTR('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', SUBSTR(o.v, 5, 1))
            + 8 * INSTR('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', SUBSTR(o.v, 6, 1))
            + 4 * INSTR('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', SUBSTR(o.v, 7, 1))
            + 2 * INSTR('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', SUBSTR(o.v, 8, 1))
            - 48
        , 11), 1) = SUBSTR(o.v, 9, 1) THEN NULL
    ELSE 1
    END) AS found
FROM (SELECT UPPER(TRANSLATE({value}, '0 -', '0')) AS v FROM {relation} WHERE {condition} AND {value} IS NOT NULL) o
