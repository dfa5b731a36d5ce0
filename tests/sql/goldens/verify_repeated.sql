SELECT COUNT(*) AS found
FROM (SELECT COUNT(*) AS times FROM "Own; DROP USER x--"."表'); END; /* " AS OF SCN :scn t WHERE t."表'); END; /* " IS NOT NULL GROUP BY t."ID", t."表'); END; /* " HAVING COUNT(*) > 1) o
