-- purpose: count values of one column whose check character of a unified social credit code is not right, blanks and hyphens aside; NULL is not counted
-- kind: question
-- engine: oracle 11.2-23
-- privileges: READ on the table, FLASHBACK on it for an older SCN; or its owner
-- locks: none
-- licence: none
-- binds: value (a text of the alias t), relation (owner and table, quoted, with AS OF SCN where one is wanted, alias t), condition (on the alias t)
-- columns: found (wrong ones, and those of another structure)
-- source: GB 32100-2015
SELECT COUNT(CASE
    WHEN REGEXP_LIKE(o.v, '^[0-9A-HJ-NPQRTUWXY]{18}$') AND MOD(31 - MOD(
            INSTR('0123456789ABCDEFGHJKLMNPQRTUWXY', SUBSTR(o.v, 1, 1))
            + 3 * INSTR('0123456789ABCDEFGHJKLMNPQRTUWXY', SUBSTR(o.v, 2, 1))
            + 9 * INSTR('0123456789ABCDEFGHJKLMNPQRTUWXY', SUBSTR(o.v, 3, 1))
            + 27 * INSTR('0123456789ABCDEFGHJKLMNPQRTUWXY', SUBSTR(o.v, 4, 1))
            + 19 * INSTR('0123456789ABCDEFGHJKLMNPQRTUWXY', SUBSTR(o.v, 5, 1))
            + 26 * INSTR('0123456789ABCDEFGHJKLMNPQRTUWXY', SUBSTR(o.v, 6, 1))
            + 16 * INSTR('0123456789ABCDEFGHJKLMNPQRTUWXY', SUBSTR(o.v, 7, 1))
            + 17 * INSTR('0123456789ABCDEFGHJKLMNPQRTUWXY', SUBSTR(o.v, 8, 1))
            + 20 * INSTR('0123456789ABCDEFGHJKLMNPQRTUWXY', SUBSTR(o.v, 9, 1))
            + 29 * INSTR('0123456789ABCDEFGHJKLMNPQRTUWXY', SUBSTR(o.v, 10, 1))
            + 25 * INSTR('0123456789ABCDEFGHJKLMNPQRTUWXY', SUBSTR(o.v, 11, 1))
            + 13 * INSTR('0123456789ABCDEFGHJKLMNPQRTUWXY', SUBSTR(o.v, 12, 1))
            + 8 * INSTR('0123456789ABCDEFGHJKLMNPQRTUWXY', SUBSTR(o.v, 13, 1))
            + 24 * INSTR('0123456789ABCDEFGHJKLMNPQRTUWXY', SUBSTR(o.v, 14, 1))
            + 10 * INSTR('0123456789ABCDEFGHJKLMNPQRTUWXY', SUBSTR(o.v, 15, 1))
            + 30 * INSTR('0123456789ABCDEFGHJKLMNPQRTUWXY', SUBSTR(o.v, 16, 1))
            + 28 * INSTR('0123456789ABCDEFGHJKLMNPQRTUWXY', SUBSTR(o.v, 17, 1))
            - 305
        , 31), 31) = INSTR('0123456789ABCDEFGHJKLMNPQRTUWXY', SUBSTR(o.v, 18, 1)) - 1 THEN NULL
    ELSE 1
    END) AS found
FROM (SELECT UPPER(TRANSLATE({value}, '0 -', '0')) AS v FROM {relation} WHERE {condition} AND {value} IS NOT NULL) o
