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
FROM (SELECT LPAD(TRANSLATE(TO_CHAR(t."表'); END; /* "), '0 -', '0'), 19, '0') AS v, TRANSLATE(TO_CHAR(t."表'); END; /* "), '0 -', '0') AS given FROM "Own; DROP USER x--"."表'); END; /* " AS OF SCN :scn t WHERE 1 = 1 AND TO_CHAR(t."表'); END; /* ") IS NOT NULL) o
