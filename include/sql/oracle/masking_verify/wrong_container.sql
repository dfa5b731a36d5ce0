-- purpose: count values of one column whose check digit of a freight container is not right, blanks and hyphens aside; NULL is not counted
-- kind: question
-- engine: oracle 11.2-23
-- privileges: READ on the table, FLASHBACK on it for an older SCN; or its owner
-- locks: none
-- licence: none
-- binds: value (a text of the alias t), relation (owner and table, quoted, with AS OF SCN where one is wanted, alias t), condition (on the alias t)
-- columns: found (wrong ones, and those of another structure)
-- source: ISO 6346:2022, annex A
SELECT COUNT(CASE
    WHEN REGEXP_LIKE(o.v, '^[A-Z]{3}[UJZ][0-9]{7}$') AND MOD(MOD(
            INSTR('0123456789A?BCDEFGHIJK?LMNOPQRSTU?VWXYZ', SUBSTR(o.v, 1, 1))
            + 2 * INSTR('0123456789A?BCDEFGHIJK?LMNOPQRSTU?VWXYZ', SUBSTR(o.v, 2, 1))
            + 4 * INSTR('0123456789A?BCDEFGHIJK?LMNOPQRSTU?VWXYZ', SUBSTR(o.v, 3, 1))
            + 8 * INSTR('0123456789A?BCDEFGHIJK?LMNOPQRSTU?VWXYZ', SUBSTR(o.v, 4, 1))
            + 16 * INSTR('0123456789A?BCDEFGHIJK?LMNOPQRSTU?VWXYZ', SUBSTR(o.v, 5, 1))
            + 32 * INSTR('0123456789A?BCDEFGHIJK?LMNOPQRSTU?VWXYZ', SUBSTR(o.v, 6, 1))
            + 64 * INSTR('0123456789A?BCDEFGHIJK?LMNOPQRSTU?VWXYZ', SUBSTR(o.v, 7, 1))
            + 128 * INSTR('0123456789A?BCDEFGHIJK?LMNOPQRSTU?VWXYZ', SUBSTR(o.v, 8, 1))
            + 256 * INSTR('0123456789A?BCDEFGHIJK?LMNOPQRSTU?VWXYZ', SUBSTR(o.v, 9, 1))
            + 512 * INSTR('0123456789A?BCDEFGHIJK?LMNOPQRSTU?VWXYZ', SUBSTR(o.v, 10, 1))
            - 1023
        , 11), 10) = INSTR('0123456789', SUBSTR(o.v, 11, 1)) - 1 THEN NULL
    ELSE 1
    END) AS found
FROM (SELECT UPPER(TRANSLATE({value}, '0 -', '0')) AS v FROM {relation} WHERE {condition} AND {value} IS NOT NULL) o
