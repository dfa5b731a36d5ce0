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
FROM (SELECT REGEXP_REPLACE(UPPER(TRANSLATE(TO_CHAR(t."表'); END; /* "), '0 -', '0')), '^IMO', '') AS v FROM "Own; DROP USER x--"."表'); END; /* " AS OF SCN :scn t WHERE 1 = 1 AND TO_CHAR(t."表'); END; /* ") IS NOT NULL) o
