-- purpose: count values of one column whose check digit of a bank card of 13 to 19 digits is not right, blanks and hyphens aside; NULL is not counted
-- kind: question
-- engine: oracle 11.2-23
-- privileges: READ on the table, FLASHBACK on it for an older SCN; or its owner
-- locks: none
-- licence: none
-- binds: value (a text of the alias t), relation (owner and table, quoted, with AS OF SCN where one is wanted, alias t), condition (on the alias t)
-- columns: found (wrong ones, and those of another structure)
-- source: ISO/IEC 7812-1, annex B (Luhn; 0516273849: a digit by its doubled value); a shorter number is filled up with zeros on its left, which count nothing
SELECT COUNT(CASE
    WHEN REGEXP_LIKE(o.given, '^[0-9]{13,19}$') AND MOD(
            INSTR('0123456789', SUBSTR(o.v, 1, 1))
            + INSTR('0516273849', SUBSTR(o.v, 2, 1))
            + INSTR('0123456789', SUBSTR(o.v, 3, 1))
            + INSTR('0516273849', SUBSTR(o.v, 4, 1))
            + INSTR('0123456789', SUBSTR(o.v, 5, 1))
            + INSTR('0516273849', SUBSTR(o.v, 6, 1))
            + INSTR('0123456789', SUBSTR(o.v, 7, 1))
            + INSTR('0516273849', SUBSTR(o.v, 8, 1))
            + INSTR('0123456789', SUBSTR(o.v, 9, 1))
            + INSTR('0516273849', SUBSTR(o.v, 10, 1))
            + INSTR('0123456789', SUBSTR(o.v, 11, 1))
            + INSTR('0516273849', SUBSTR(o.v, 12, 1))
            + INSTR('0123456789', SUBSTR(o.v, 13, 1))
            + INSTR('0516273849', SUBSTR(o.v, 14, 1))
            + INSTR('0123456789', SUBSTR(o.v, 15, 1))
            + INSTR('0516273849', SUBSTR(o.v, 16, 1))
            + INSTR('0123456789', SUBSTR(o.v, 17, 1))
            + INSTR('0516273849', SUBSTR(o.v, 18, 1))
            + INSTR('0123456789', SUBSTR(o.v, 19, 1))
            - 19
        , 10) = 0 THEN NULL
    ELSE 1
    END) AS found
FROM (SELECT LPAD(TRANSLATE({value}, '0 -', '0'), 19, '0') AS v, TRANSLATE({value}, '0 -', '0') AS given FROM {relation} WHERE {condition} AND {value} IS NOT NULL) o
