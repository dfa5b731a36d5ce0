SELECT FLOOR(MIN("表'); END; /* ")) AS "least", CEIL(MAX("表'); END; /* ")) AS "most" FROM "Own; DROP USER x--"."T"
