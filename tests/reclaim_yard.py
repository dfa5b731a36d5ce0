"""Tables for the online copy: one with everything that a table can have, hostile names, partitions; and how they are compared."""

from __future__ import annotations

import subprocess
from typing import Any

import psycopg
from psycopg import sql

from drydock.engines.postgres import Endpoint
from drydock.engines.postgres_binaries import find_binaries
from drydock.engines.postgres_server import server_environment

HOSTILE = 'a"; DROP TABLE x; --.表%s{t}'
LONG = "十" * 21  # 63 bytes

EVERYTHING = """
CREATE ROLE yard_owner; CREATE ROLE yard_reader; CREATE ROLE "yard ""写"; GRANT CREATE ON DATABASE {db} TO yard_owner;
CREATE SCHEMA s; CREATE SCHEMA {hostile}; GRANT USAGE ON SCHEMA s TO PUBLIC;
GRANT USAGE, CREATE ON SCHEMA s, {hostile} TO yard_owner;
CREATE TABLE s.country (code text PRIMARY KEY, name text);
INSERT INTO s.country SELECT 'c' || n, 'n' FROM generate_series(0, 9) n;
ALTER TABLE s.country OWNER TO yard_owner;
CREATE FUNCTION s.touch() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN NEW.note := coalesce(NEW.note, '') || '.'; RETURN NEW; END $$;
CREATE FUNCTION s.noop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE SEQUENCE s.serial_numbers START 77 INCREMENT 3;
CREATE TABLE s.all_of_it (
    id bigint GENERATED ALWAYS AS IDENTITY (START 5 INCREMENT 2 CACHE 3),
    dropped int,
    country text NOT NULL DEFAULT 'c1',
    "Sp; ""alte" int CONSTRAINT "not; null" NOT NULL,
    number int DEFAULT nextval('s.serial_numbers') NOT NULL,
    auto serial,
    doubled int GENERATED ALWAYS AS ("Sp; ""alte" * 2) STORED,
    amount numeric(12, 2) DEFAULT 0 CHECK (amount >= 0),
    note text COMPRESSION pglz COLLATE "C",
    big text,
    parent bigint,
    span int4range,
    CONSTRAINT "pk; 主" PRIMARY KEY (id) INCLUDE (country) WITH (fillfactor = 80),
    CONSTRAINT uq UNIQUE NULLS NOT DISTINCT (number) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT span_excluded EXCLUDE USING gist (span WITH &&) WHERE (span IS NOT NULL),
    CONSTRAINT checked CHECK (length(note) < 1000) NO INHERIT
) WITH (fillfactor = 90, autovacuum_vacuum_threshold = 1000, toast.autovacuum_enabled = false, toast_tuple_target = 256);
ALTER SEQUENCE s.serial_numbers OWNED BY s.all_of_it.number;
ALTER TABLE s.all_of_it DROP COLUMN dropped;
ALTER TABLE s.all_of_it ALTER big SET STORAGE EXTERNAL, ALTER note SET STATISTICS 7, ALTER country SET (n_distinct = 10);
ALTER TABLE s.all_of_it ADD CONSTRAINT fk_out FOREIGN KEY (country) REFERENCES s.country ON UPDATE CASCADE;
CREATE TABLE s.other (id int PRIMARY KEY, all_id bigint);
ALTER TABLE s.all_of_it ADD CONSTRAINT "fk self" FOREIGN KEY (parent) REFERENCES s.all_of_it (id) DEFERRABLE;
ALTER TABLE s.other ADD CONSTRAINT "fk; in" FOREIGN KEY (all_id) REFERENCES s.all_of_it (id) ON DELETE SET NULL;
COMMENT ON CONSTRAINT "fk; in" ON s.other IS 'in''coming';
CREATE INDEX "ix; 1" ON s.all_of_it USING btree (lower(note) text_pattern_ops DESC, amount)
    INCLUDE (id) WITH (fillfactor = 60) WHERE (amount > 1);
CREATE UNIQUE INDEX ux ON s.all_of_it ("Sp; ""alte", country);
CREATE INDEX by_hash ON s.all_of_it USING hash (country);
ALTER INDEX s."ix; 1" ALTER COLUMN 1 SET STATISTICS 55;
ALTER TABLE s.all_of_it CLUSTER ON ux; ALTER TABLE s.all_of_it REPLICA IDENTITY USING INDEX ux;
CREATE STATISTICS s.st (ndistinct, mcv) ON country, note FROM s.all_of_it;
CREATE STATISTICS s.st_expr ON (amount * 2) FROM s.all_of_it;
CREATE STATISTICS s.st_all ON country, amount, (amount * 3) FROM s.all_of_it;
ALTER STATISTICS s.st SET STATISTICS 33; COMMENT ON STATISTICS s.st IS 'st''s'; ALTER STATISTICS s.st_all OWNER TO yard_owner;
CREATE TRIGGER touching BEFORE UPDATE ON s.all_of_it FOR EACH ROW WHEN (OLD.amount < 0) EXECUTE FUNCTION s.touch();
CREATE TRIGGER "off; ""1" AFTER INSERT ON s.all_of_it FOR EACH STATEMENT EXECUTE FUNCTION s.noop();
CREATE CONSTRAINT TRIGGER later AFTER INSERT ON s.all_of_it DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION s.noop();
ALTER TABLE s.all_of_it DISABLE TRIGGER "off; ""1"; ALTER TABLE s.all_of_it ENABLE REPLICA TRIGGER later;
COMMENT ON TRIGGER touching ON s.all_of_it IS 'tr';
CREATE RULE quiet AS ON DELETE TO s.all_of_it WHERE OLD.amount = 4711 DO INSTEAD NOTHING;
ALTER TABLE s.all_of_it DISABLE RULE quiet; COMMENT ON RULE quiet ON s.all_of_it IS 'ru';
CREATE POLICY only_mine ON s.all_of_it AS RESTRICTIVE FOR SELECT TO yard_reader, "yard ""写"
    USING (country = current_user OR id IN (SELECT max(b.id) FROM s.all_of_it b));
CREATE POLICY writes ON s.all_of_it FOR INSERT TO PUBLIC WITH CHECK (amount < 100);
COMMENT ON POLICY writes ON s.all_of_it IS 'po';
ALTER TABLE s.all_of_it ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE s.all_of_it IS 'it''s; all'; COMMENT ON COLUMN s.all_of_it.note IS 'no; te'; COMMENT ON INDEX s.ux IS 'in';
COMMENT ON CONSTRAINT uq ON s.all_of_it IS 'un'; COMMENT ON CONSTRAINT checked ON s.all_of_it IS 'ch';
GRANT SELECT, INSERT ON s.all_of_it TO yard_reader WITH GRANT OPTION; GRANT UPDATE (note, amount) ON s.all_of_it TO "yard ""写";
GRANT ALL ON s.all_of_it TO "yard ""写"; GRANT SELECT ON s.all_of_it TO PUBLIC;
GRANT USAGE ON SEQUENCE s.all_of_it_id_seq TO yard_reader; COMMENT ON SEQUENCE s.all_of_it_id_seq IS 'se';
ALTER SEQUENCE s.all_of_it_id_seq RENAME TO "ids; x";
ALTER TABLE s.all_of_it OWNER TO yard_owner;
REVOKE TRUNCATE ON s.all_of_it FROM yard_owner;
CREATE PUBLICATION pub_all FOR TABLE ONLY s.all_of_it (id, country, "Sp; ""alte") WHERE ("Sp; ""alte" > 3), s.country;
CREATE PUBLICATION pub_plain FOR TABLE s.all_of_it;
INSERT INTO s.all_of_it (country, "Sp; ""alte", amount, note, big, span)
    SELECT 'c' || n % 10, n, n % 7, 'n' || n, repeat('x', n % 3000), CASE WHEN n % 5 = 0 THEN int4range(n, n + 2) END
    FROM generate_series(1, 1500) n;
UPDATE s.all_of_it SET parent = id WHERE id > 100;
INSERT INTO s.other SELECT n, 5 + 2 * n FROM generate_series(1000, 1400) n;
"""


def dumped(endpoint: Endpoint, *tables: str) -> str:
    """What pg_dump says of the tables, and of all that hangs on them."""
    wanted = [f"--table={t}" for t in tables]
    done = subprocess.run(
        [
            find_binaries().tool("pg_dump"),
            "--schema-only",
            "--no-sync",
            *wanted,
            "-h",
            endpoint.host,
            "-p",
            str(endpoint.port),
            "-U",
            endpoint.user,
            endpoint.dbname,
        ],
        env=server_environment({"PGPASSWORD": endpoint.password}),
        capture_output=True,
        text=True,
        check=True,
    )
    return "\n".join(line for line in done.stdout.splitlines() if not line.startswith(("\\restrict", "\\unrestrict", "--")))


def rows_differ(connection: psycopg.Connection[Any], one: sql.Composable, other: sql.Composable) -> int:
    """Rows that are in one of two and not in the other."""
    both = sql.SQL("SELECT count(*) AS n FROM ((TABLE {a} EXCEPT ALL TABLE {b}) UNION ALL (TABLE {b} EXCEPT ALL TABLE {a})) d")
    found = connection.execute(both.format(a=one, b=other)).fetchone()
    assert found is not None
    return found["n"] if isinstance(found, dict) else found[0]
