INSERT INTO "Own; DROP USER x--"."P" ("ID", "表'); END; /* ") VALUES (:1, :2)
