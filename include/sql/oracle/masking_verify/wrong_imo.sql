-- purpose: count values of one column whose check digit of an IMO number of a ship, with or without the letters IMO, is not right, blanks and hyphens aside; NULL is not counted
-- kind: question
-- engine: oracle 11.2-23
-- privileges: READ on the table, FLASHBACK on it for an older SCN; or its owner
-- locks: none
-- licence: none
-- binds: value (a text of the alias t), relation (owner and table, quoted, with AS OF SCN where one is wanted, alias t), condition (on the alias t)
-- columns: found (wrong ones, and those of another structure)
-- source: IMO resolution A.1117(30)
SELECT COUNT(CASE
    WHEN REGEXP_LIKE(o.v, '^[0-9]{7}$') AND MOD(
            7 * INSTR('0123456789', SUBSTR(o.v, 1, 1))
            + 6 * INSTR('0123456789', SUBSTR(o.v, 2, 1))
            + 5 * INSTR('0123456789', SUBSTR(o.v, 3, 1))
            + 4 * INSTR('0123456789', SUBSTR(o.v, 4, 1))
            + 3 * INSTR('0123456789', SUBSTR(o.v, 5, 1))
            + 2 * INSTR('0123456789', SUBSTR(o.v, 6, 1))
            - 27
        , 10) = INSTR('0123456789', SUBSTR(o.v, 7, 1)) - 1 THEN NULL
    ELSE 1
    END) AS found
FROM (SELECT REGEXP_REPLACE(UPPER(TRANSLATE({value}, '0 -', '0')), '^IMO', '') AS v FROM {relation} WHERE {condition} AND {value} IS NOT NULL) o
