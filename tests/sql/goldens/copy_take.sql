INSERT INTO "Own; DROP USER x--"."T" ("ID", "表'); END; /* ") SELECT "ID", "表'); END; /* " FROM "Own; DROP USER x--"."P"
