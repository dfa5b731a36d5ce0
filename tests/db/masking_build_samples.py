"""A source with every sort of definition that a copy must carry over, and the policy that fits it."""

from __future__ import annotations

from drydock.masking.policies.policy import MaskingPolicyFile
from drydock.masking.policies.schema import Schema

REF = 'ref "x".资料'
SOURCE = """
CREATE SCHEMA decl;
COMMENT ON SCHEMA decl IS '申报';
CREATE SCHEMA {ref};
CREATE TYPE decl.state AS ENUM ('draft', 'it''s sent', '已放行');
COMMENT ON TYPE decl.state IS 'states';
CREATE TYPE {ref}."Odd Kind" AS ENUM ();
CREATE DOMAIN decl.port AS varchar(5) COLLATE "C" DEFAULT 'decl' NOT NULL CONSTRAINT port_form CHECK (VALUE ~ '^[a-z]+$');
CREATE DOMAIN decl.state_known AS decl.state CONSTRAINT not_draft CHECK (VALUE <> 'draft'::decl.state);
COMMENT ON CONSTRAINT port_form ON DOMAIN decl.port IS 'letters';
CREATE SEQUENCE decl.free_numbers INCREMENT -2 MINVALUE -1000 MAXVALUE 10 START 10 CACHE 3 CYCLE;
COMMENT ON SEQUENCE decl.free_numbers IS 'not owned';
CREATE SEQUENCE {ref}.shared AS integer;
CREATE TABLE {ref}."Country" (
    code char(3) COLLATE "C" CONSTRAINT country_key PRIMARY KEY,
    name text NOT NULL,
    number integer NOT NULL DEFAULT nextval('{refl}.shared'::regclass),
    UNIQUE NULLS NOT DISTINCT (name) INCLUDE (number)
) WITH (fillfactor = 80, toast.autovacuum_enabled = off);
ALTER SEQUENCE {ref}.shared OWNED BY {ref}."Country".number;
CREATE TABLE decl.head (
    id bigint GENERATED ALWAYS AS IDENTITY (START 100 INCREMENT 10),
    number serial,
    entry_no varchar(18) NOT NULL,
    "decl" text DEFAULT 'decl.head'::text,
    country char(3) REFERENCES {ref}."Country" (code) ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED,
    port decl.port,
    state decl.state DEFAULT 'draft'::decl.state,
    known decl.state_known,
    states decl.state[] DEFAULT ARRAY['draft'::decl.state],
    valid_for daterange,
    amount numeric(12,2) DEFAULT 0.00 CONSTRAINT not_negative CHECK (amount >= 0),
    doubled numeric GENERATED ALWAYS AS (amount * 2) STORED,
    tripled numeric GENERATED ALWAYS AS (amount * 3) VIRTUAL,
    body text COMPRESSION pglz,
    parent bigint,
    CONSTRAINT head_key PRIMARY KEY (id),
    CONSTRAINT one_entry UNIQUE (entry_no) INCLUDE (amount) WITH (fillfactor = 60) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT no_overlap EXCLUDE USING gist (valid_for WITH &&) WITH (buffering = off) WHERE (decl IS NOT NULL),
    CONSTRAINT up FOREIGN KEY (parent) REFERENCES decl.head (id)
);
ALTER TABLE decl.head ALTER body SET STORAGE EXTERNAL, ALTER entry_no SET STATISTICS 500, ALTER country SET (n_distinct = -0.5);
ALTER TABLE decl.head ADD CONSTRAINT looks_right CHECK (entry_no <> 'decl.x' AND state <> 'it''s sent'::decl.state) NOT VALID;
COMMENT ON TABLE decl.head IS 'heads; -- of declarations''';
COMMENT ON COLUMN decl.head."decl" IS '列';
COMMENT ON CONSTRAINT not_negative ON decl.head IS 'amounts';
CREATE INDEX head_low ON decl.head USING btree (lower(entry_no) COLLATE "C" varchar_pattern_ops DESC NULLS LAST)
    INCLUDE (amount) WITH (fillfactor = 70) WHERE state = '已放行'::decl.state;
ALTER INDEX decl.head_low ALTER COLUMN 1 SET STATISTICS 77;
COMMENT ON INDEX decl.head_low IS 'index';
CREATE UNIQUE INDEX head_by_amount ON decl.head (entry_no, amount);
ALTER TABLE decl.head REPLICA IDENTITY USING INDEX head_key;
ALTER TABLE decl.head CLUSTER ON head_key;
CREATE STATISTICS decl.together (ndistinct, dependencies) ON country, (lower(body)), port FROM decl.head;
ALTER STATISTICS decl.together SET STATISTICS 50;
COMMENT ON STATISTICS decl.together IS 'together';
CREATE TABLE decl.lines (
    line_no integer NOT NULL,
    placed_on date NOT NULL,
    area text NOT NULL,
    head bigint,
    note text DEFAULT 'a;b',
    CONSTRAINT lines_key PRIMARY KEY (line_no, placed_on, area),
    CONSTRAINT positive CHECK (line_no > 0)
) PARTITION BY RANGE (placed_on);
CREATE TABLE decl.lines_1 (
    note text, area text NOT NULL, line_no integer NOT NULL, placed_on date NOT NULL, head bigint,
    CONSTRAINT positive CHECK (line_no > 0)
) PARTITION BY LIST (area);
ALTER TABLE decl.lines ATTACH PARTITION decl.lines_1 FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE decl.lines_1_gz PARTITION OF decl.lines_1 FOR VALUES IN ('gz', 'decl');
CREATE TABLE decl.lines_1_rest PARTITION OF decl.lines_1 DEFAULT WITH (fillfactor = 90);
CREATE TABLE decl.lines_rest PARTITION OF decl.lines DEFAULT;
CREATE TABLE decl.lines_2 PARTITION OF decl.lines FOR VALUES FROM ('2026-02-01') TO (MAXVALUE);
ALTER TABLE decl.lines_2 ADD CONSTRAINT only_here CHECK (area <> 'x'), ALTER note SET DEFAULT 'two';
CREATE INDEX lines_head ON decl.lines (head);
CREATE INDEX only_rest ON decl.lines_rest (note);
ALTER TABLE decl.lines ADD CONSTRAINT lines_of FOREIGN KEY (head) REFERENCES decl.head (id);
CREATE TABLE decl.boxes (
    box_no text NOT NULL, line_no integer, placed_on date, area text,
    CONSTRAINT box_line FOREIGN KEY (line_no, placed_on, area) REFERENCES decl.lines MATCH FULL ON UPDATE CASCADE NOT VALID
) PARTITION BY HASH (box_no);
CREATE TABLE decl.boxes_0 PARTITION OF decl.boxes FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE decl.boxes_1 PARTITION OF decl.boxes FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE decl.notes_of (id int UNIQUE);
CREATE UNLOGGED TABLE decl."empty one" ();
ALTER TABLE decl."empty one" REPLICA IDENTITY FULL;
CREATE TABLE decl.events (
    id bigint GENERATED BY DEFAULT AS IDENTITY,
    at timestamptz NOT NULL DEFAULT now(),
    kind text COLLATE "C" NOT NULL,
    number serial,
    dropped int,
    upper_kind text GENERATED ALWAYS AS (upper(kind)) STORED,
    port decl.port DEFAULT 'gz',
    CONSTRAINT never CHECK (number <> -1) NOT ENFORCED
) PARTITION BY RANGE (lower(kind), (number % 2));
ALTER TABLE decl.events DROP COLUMN dropped;
CREATE TABLE decl.events_a PARTITION OF decl.events FOR VALUES FROM ('a', MINVALUE) TO ('b', MINVALUE);
CREATE TABLE {ref}.events_b PARTITION OF decl.events FOR VALUES FROM ('b', 0) TO ('c', 1) PARTITION BY RANGE (at);
CREATE TABLE {ref}.events_b_1 PARTITION OF {ref}.events_b FOR VALUES FROM ('2026-01-01 08:00+08') TO ('2027-01-01 08:00+08');
CREATE INDEX events_one ON ONLY decl.events (lower(kind), (number % 2), at);
CREATE INDEX "Events a" ON decl.events_a (lower(kind), (number % 2), at);
ALTER INDEX decl.events_one ATTACH PARTITION decl."Events a";
CREATE TABLE decl.notes (
    id int CONSTRAINT its_id NOT NULL NO INHERIT,
    event_kind text,
    old int,
    CONSTRAINT small CHECK (id < 1000) NO INHERIT,
    CONSTRAINT of_line FOREIGN KEY (old) REFERENCES decl.notes_of (id) MATCH FULL ON DELETE SET NULL NOT ENFORCED
);
INSERT INTO decl.notes VALUES (1, NULL, NULL);
ALTER TABLE decl.notes ADD CONSTRAINT kind_known NOT NULL event_kind NOT VALID;
INSERT INTO {ref}."Country" (code, name) VALUES ('CHN', '中国'), ('DEU', 'Germany');
INSERT INTO decl.head (entry_no, country, port, known, valid_for, amount, body, parent)
    SELECT 'e' || n, 'CHN', 'gz', '已放行', daterange('2026-01-01'::date + n, '2026-01-02'::date + n), n, repeat('b', 3000), NULL
    FROM generate_series(1, 5) AS n;
UPDATE decl.head SET parent = 100;
INSERT INTO decl.lines SELECT n, '2026-01-01'::date + n * 7, (ARRAY['gz', 'hk'])[n % 2 + 1], 100, 'x'
    FROM generate_series(1, 12) AS n;
INSERT INTO decl.boxes SELECT 'box' || n, n, '2026-01-01'::date + n * 7, (ARRAY['gz', 'hk'])[n % 2 + 1]
    FROM generate_series(1, 6) AS n;
SELECT nextval('decl.free_numbers');
""".replace("{ref}", '"ref ""x"".资料"').replace("{refl}", '"ref ""x"".资料"')
NOT_COPIED = """
CREATE TABLE decl.scratch (id int PRIMARY KEY);
ALTER TABLE decl.boxes ADD COLUMN scratch int REFERENCES decl.scratch;
CREATE VIEW decl.shown AS SELECT id FROM decl.head;
CREATE MATERIALIZED VIEW decl.counted AS SELECT count(*) FROM decl.head;
CREATE FUNCTION decl.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER touched BEFORE INSERT ON decl.head FOR EACH ROW EXECUTE FUNCTION decl.touch();
CREATE POLICY mine ON decl.boxes USING (true);
ALTER TABLE decl.boxes ENABLE ROW LEVEL SECURITY;
CREATE RULE nothing AS ON DELETE TO decl.boxes DO INSTEAD NOTHING;
SELECT lo_from_bytea(0, 'x');
"""
LEFT = {"view", "materialized_view", "function", "trigger", "row_policy", "rule", "large_object"}

ROLES = """DO $$ DECLARE r text; BEGIN
FOREACH r IN ARRAY ARRAY['build_owner', 'build_tester', 'build_other'] LOOP
    CONTINUE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = r);
    EXECUTE format('CREATE ROLE %I LOGIN PASSWORD %L', r, 'x');
END LOOP; END $$"""


def policy_for(schema: Schema, *left_out: str, schemas: tuple[str, ...] = ("decl", REF), **fields: object) -> MaskingPolicyFile:
    """Everything is kept but what `fields` say; tables named in `left_out` are not copied."""
    tables = {
        table.key: {
            "keep": {column.name: "needed as it is" for column in table.columns},
            "reviewer": "r",
            "reviewed": "2026-11-01",
        }
        for table in schema.tables
        if table.key not in left_out
    }
    rules = fields.pop("rules", {})
    for (table, column), rule in dict(rules).items():  # type: ignore[call-overload]
        tables[table]["keep"].pop(column)  # type: ignore[attr-defined]
        tables[table].setdefault("columns", {})[column] = {"class": "personal", "level": "general_3", **rule}  # type: ignore[attr-defined, index]
    found = {
        "schema": "drydock-masking-policy/1",
        "database": "alpha",
        "source": {"connection": "masking_source", "schemas": schemas},
        "target": "test_copy",
        "targets": [{"id": "test_copy", "connection": "masking_copy", "engine": "postgresql", "environment": "test"}],
        "key": {"connection": "masking_key", "epoch": "2026Q4"},
        "purpose": "tests",
        "tables": tables,
        "left_out": dict.fromkeys(left_out, "not needed"),
    }
    found["targets"][0].update(fields.pop("target", {}))  # type: ignore[attr-defined, index]
    return MaskingPolicyFile.model_validate({**found, **fields})
