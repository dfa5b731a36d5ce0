SELECT COUNT(CASE
    WHEN REGEXP_LIKE(o.v, '^[0-9]{17}[0-9X]$') AND SUBSTR('10X98765432', MOD(
            7 * INSTR('0123456789', SUBSTR(o.v, 1, 1))
            + 9 * INSTR('0123456789', SUBSTR(o.v, 2, 1))
            + 10 * INSTR('0123456789', SUBSTR(o.v, 3, 1))
            + 5 * INSTR('0123456789', SUBSTR(o.v, 4, 1))
            + 8 * INSTR('0123456789', SUBSTR(o.v, 5, 1))
            + 4 * INSTR('0123456789', SUBSTR(o.v, 6, 1))
            + 2 * INSTR('0123456789', SUBSTR(o.v, 7, 1))
            + INSTR('0123456789', SUBSTR(o.v, 8, 1))
            + 6 * INSTR('0123456789', SUBSTR(o.v, 9, 1))
            + 3 * INSTR('0123456789', SUBSTR(o.v, 10, 1))
            + 7 * INSTR('0123456789', SUBSTR(o.v, 11, 1))
            + 9 * INSTR('0123456789', SUBSTR(o.v, 12, 1))
            + 10 * INSTR('0123456789', SUBSTR(o.v, 13, 1))
            + 5 * INSTR('0123456789', SUBSTR(o.v, 14, 1))
            + 8 * INSTR('0123456789', SUBSTR(o.v, 15, 1))
            + 4 * INSTR('0123456789', SUBSTR(o.v, 16, 1))
            + 2 * INSTR('0123456789', SUBSTR(o.v, 17, 1))
            - 100
        , 11) + 1, 1) = SUBSTR(o.v, 18, 1) THEN NULL
    ELSE 1
    END) AS found
FROM (SELECT UPPER(TRANSLATE(TO_CHAR(t."表'); END; /* "), '0 -', '0')) AS v FROM "Own; DROP USER x--"."表'); END; /* " AS OF SCN :scn t WHERE 1 = 1 AND TO_CHAR(t."表'); END; /* ") IS NOT NULL) o
