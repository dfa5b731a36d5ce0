"""Check digits: against python-stdnum, an implementation that is not ours, and against numbers known to be right."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import imo, iso6346, luhn
from stdnum.cn import ric, uscc

from sandbox import identifiers as ids

CHECKS = {
    "cn_id": ids.cn_id_check,
    "org_code": ids.org_code_check,
    "uscc": ids.uscc_check,
    "bank_card": ids.luhn_check,
    "container": ids.container_check,
    "imo": ids.imo_check,
}


def completed(kind: str, *bodies: str) -> list[str]:
    matrix = ids.text_matrix(bodies)
    return ids.as_text(ids.checked(matrix, CHECKS[kind](matrix))).to_list()


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("cn_id", "440106199003071231"),
        ("cn_id", "42010619851231001X"),
        ("cn_id", "830000199003071230"),
        ("uscc", "91440101MA5ABCD191"),
        ("uscc", "N2440101MF12345677"),
        ("uscc", "91420100738554552B"),
        ("org_code", "738554552"),
        ("bank_card", "6222024000000000014"),
        ("bank_card", "6217001800000000006"),
        ("container", "CSQU3054383"),
        ("container", "COSU8001215"),
        ("imo", "9324966"),
        ("imo", "9074729"),
    ],
)
def test_known_numbers_get_their_check_character(kind: str, number: str) -> None:
    assert completed(kind, number[:-1]) == [number]


@given(st.lists(st.from_regex(r"\A[1-6][0-9]{5}(19|20)[0-9]{9}\Z"), min_size=1, max_size=5))
def test_resident_ids_agree_with_stdnum(bodies: list[str]) -> None:
    assert completed("cn_id", *bodies) == [body + ric.calc_check_digit(f"{body}0") for body in bodies]


@given(st.lists(st.from_regex(r"\A[0-9]{8}[0-9A-HJ-NPQRTUWXY]{9}\Z"), min_size=1, max_size=5))
def test_credit_codes_agree_with_stdnum(bodies: list[str]) -> None:
    assert [uscc.validate(number) for number in completed("uscc", *bodies)] == [
        body + uscc.calc_check_digit(f"{body}0") for body in bodies
    ]


@given(st.from_regex(r"\A[0-9]{15,18}\Z"))
def test_cards_agree_with_stdnum(body: str) -> None:
    assert luhn.is_valid(completed("bank_card", body)[0])


@given(st.lists(st.from_regex(r"\A[A-Z]{3}[UJZ][0-9]{6}\Z"), min_size=1, max_size=5))
def test_containers_agree_with_stdnum(bodies: list[str]) -> None:
    assert all(iso6346.is_valid(number) for number in completed("container", *bodies))


@given(st.lists(st.from_regex(r"\A[0-9]{6}\Z"), min_size=1, max_size=5))
def test_ship_numbers_agree_with_stdnum(bodies: list[str]) -> None:
    assert completed("imo", *bodies) == [body + imo.calc_check_digit(body) for body in bodies]


@given(st.from_regex(r"\A[1-6][0-9]{5}(19|20)[0-9]{9}\Z"))
def test_a_spoiled_id_is_wrong_and_its_neighbour_untouched(body: str) -> None:
    right = completed("cn_id", body, body)
    spoiled = ids.as_text(ids.spoiled(ids.text_matrix(right), np.array([True, False]))).to_list()
    assert spoiled[1] == right[1]
    assert spoiled[0][:-1] == body
    assert spoiled[0][-1] != ric.calc_check_digit(f"{body}0")


@given(st.integers(0, 31**6 - 1))
def test_numbers_are_written_in_their_alphabet(number: int) -> None:
    written = ids.as_text(ids.number_matrix(np.array([number]), 6, ids.USCC_ALPHABET))[0]
    read = 0
    for character in written:
        read = read * 31 + ids.USCC_ALPHABET.index(character)
    assert (len(written), read) == (6, number)


def test_matrices_and_constants_are_joined_in_order() -> None:
    numbers = ids.number_matrix(np.array([7, 42]), 3)
    assert ids.as_text(ids.joined("A", numbers, "-", numbers)).to_list() == ["A007-007", "A042-042"]
    assert ids.as_text(ids.joined("", numbers)).to_list() == ["007", "042"]
