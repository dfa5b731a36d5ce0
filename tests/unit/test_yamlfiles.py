"""Reading YAML: values of YAML 1.2, the line of everything, and bounds that hostile files meet."""

from __future__ import annotations

from pathlib import Path

import pytest

from drydock.problems import Problem
from drydock.yamlfiles import MAX_DEPTH, MAX_NODES, Document, read_yaml


@pytest.fixture
def read(tmp_path: Path):
    def read_text(text: str | bytes, **variables: str) -> Document:
        path = tmp_path / "x.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_yaml(path, variables)

    return read_text


def only(document: Document) -> Problem:
    assert len(document.problems) == 1, document.problems
    return document.problems[0]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", 7),
        ("-3", -3),
        ("010", 10),
        ("1.5", 1.5),
        ("6e3", 6000.0),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("on", "on"),
        ("no", "no"),
        ("11:00", "11:00"),
        ("2026-11-11", "2026-11-11"),
        ("'7'", "7"),
        ('"true"', "true"),
        ("1.2.3", "1.2.3"),
        ("30 1 * * 0", "30 1 * * 0"),
        ("广州", "广州"),
        ("!!str 7", "7"),
    ],
)
def test_scalars_are_read_as_yaml_1_2(read, text, value):
    document = read(f"a: {text}\n")
    assert document.data == {"a": value}
    assert document.problems == ()


def test_keys_are_text_whatever_they_look_like(read):
    assert read("on: 1\n7: 2\nnull: 3\n").data == {"on": 1, "7": 2, "null": 3}


def test_every_key_and_value_has_its_line(read):
    document = read("a: 1\n\nb:\n  # comment\n  - x: 1\n    y:\n      z: 2\n  - x: 3\n")
    assert document.line_of(("a",)) == 1
    assert document.line_of(("b",)) == 5
    assert document.line_of(("b",), of_key=True) == 3
    assert document.line_of(("b", 0, "y", "z")) == 7
    assert document.line_of(("b", 0, "y"), of_key=True) == 6
    assert document.line_of(("b", 1, "x")) == 8
    assert document.line_of(("b", 1, "missing")) == 8
    assert document.line_of(()) == 1


def test_entries_with_an_id_are_named_by_it(read):
    document = read("databases:\n  - id: gz_main\n    backup: {plan: [{cron: x}]}\n")
    assert document.name_of(("databases", 0, "backup", "plan", 0, "cron")) == "databases[gz_main].backup.plan[0].cron"


def test_aliases_share_a_value(read):
    document = read("a: &plan [1, 2]\nb: *plan\n")
    assert document.data == {"a": [1, 2], "b": [1, 2]}
    assert document.problems == ()


def test_known_variables_are_replaced(read):
    document = read("a: ${DRYDOCK_STATE}/x\nb: cost 5$\n", DRYDOCK_STATE="/state")
    assert document.data == {"a": "/state/x", "b": "cost 5$"}
    assert document.problems == ()


def test_unknown_variable_is_told_with_its_line(read):
    problem = only(read("a: 1\nb: ${DRYDOCK_STATES}/x\n", DRYDOCK_STATE="/state"))
    assert (problem.line, problem.found) == (2, "the variable 'DRYDOCK_STATES'")
    assert problem.fix == "did you mean 'DRYDOCK_STATE'?"


def test_environment_is_not_reachable_by_a_variable(read, monkeypatch):
    monkeypatch.setenv("HOME", "/root")
    document = read("a: ${HOME}\n", DRYDOCK_STATE="/state")
    assert document.data == {"a": "${HOME}"}
    assert only(document).fix == "allowed variables: DRYDOCK_STATE"


def test_open_variable_is_told(read):
    assert only(read("a: ${DRYDOCK_STATE\n", DRYDOCK_STATE="/s")).fix == "write ${NAME}"


def test_duplicate_key_is_told_with_the_line_of_the_second(read):
    problem = only(read("a:\n  b: 1\n  c: 2\n  b: 3\n"))
    assert (problem.line, problem.found) == (4, "the field 'b' a second time")


def test_merge_key_is_told(read):
    problem = only(read("a: &x {b: 1}\nc:\n  <<: *x\n"))
    assert (problem.line, problem.found) == (3, "a merge key <<")


def test_tags_that_would_build_objects_are_told_and_do_nothing(read):
    problem = only(read("a: !!python/object/apply:os.system ['true']\n"))
    assert problem.line == 1
    assert "python/object/apply" in problem.found


def test_list_as_key_is_told(read):
    assert only(read("a: 1\n[b]: 2\n")).line == 2


def test_aliases_of_aliases_are_bounded(read):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    document = read("\n".join(lines))
    assert document.data is None
    assert only(document).found == f"more than {MAX_NODES} values"


@pytest.mark.parametrize("text", ["a: &a [*a]\n", "a: &a [*a, *a, *a]\n", "a: &a {b: *a}\n"])
def test_alias_inside_itself_is_told(read, text):
    problem = only(read(text))
    assert (problem.line, problem.fix) == (1, f"at most {MAX_DEPTH} levels are read")


@pytest.mark.parametrize("text", ["- " * 5000, "a: " + "[" * 60 + "]" * 60, "a: " + "[" * 900 + "]" * 900])
def test_deep_nesting_is_told(read, text):
    assert only(read(text)).fix == f"at most {MAX_DEPTH} levels are read"


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ("a: 1\n\tb: 2\n", 2, "with spaces, never with tabs"),
        ("a: 1\nb: [1, 2\nc: 3\n", 3, "closing quotes and brackets"),
        ("a: 'x\n", 2, "closing quotes"),
        ("a: 1\n b: 2\n", 2, "indentation"),
        ("a: *nowhere\n", 1, "write the anchor (&name) above the alias"),
        ("a: 1\nb: \x01\n", 2, "only characters that print"),
        (b"a: 1\nb: \xff\xfe\n", 1, "save the file as UTF-8"),
        ("", 1, "schema: …"),
        ("# only a comment\n", 1, "schema: …"),
        ("a: 1\n---\nb: 2\n", 2, "one document in a file"),
        ("a: @x\n", 1, "quote text that starts with @"),
    ],
)
def test_unreadable_files_say_where_and_what_to_do(read, text, line, part):
    document = read(text)
    problem = only(document)
    assert document.data is None
    assert problem.line == line
    assert part in problem.fix


def test_missing_file_is_told(tmp_path):
    assert only(read_yaml(tmp_path / "none.yaml")).found == "no file"


def test_byte_order_mark_is_no_part_of_the_first_key(read):
    assert read(b"\xef\xbb\xbfschema: x\n").data == {"schema": "x"}


def test_found_text_is_safe_to_print(read):
    problem = only(read('a: "${\\u202eX\\e[31m' + "y" * 200 + '}"\n'))
    assert "\x1b" not in problem.found
    assert "\u202e" not in problem.found
    assert len(problem.found) < 120
