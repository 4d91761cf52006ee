"""The assembler, its programs run by an interpreter."""

from __future__ import annotations

import pytest
from bpf_interpreter import answer, decoded
from hypothesis import given
from hypothesis import strategies as st

from nebula_lab.confine.bpf import NUMBER_OFFSET, Assembler

WORDS = st.integers(0, 2**32 - 1)
DOUBLE_WORDS = st.integers(0, 2**64 - 1)


def by_ranges(ranges, filling=0):
    program = Assembler()
    program.load(NUMBER_OFFSET)
    program.by_range(ranges)
    for _ in range(filling):
        program.answer(99)
    for label in sorted({label for _, label in ranges}):
        program.label(label)
        program.answer(int(label))
    return program.assemble()


def by_argument(mask, values):
    program = Assembler()
    program.by_argument(3, mask, values, among="yes", else_="no")
    program.label("yes")
    program.answer(1)
    program.label("no")
    program.answer(0)
    return program.assemble()


@given(starts=st.sets(WORDS, max_size=40), numbers=st.lists(WORDS, min_size=1))
def test_a_number_is_found_in_its_range(starts, numbers):
    ranges = [(start, str(place)) for place, start in enumerate(sorted({0, *starts}))]
    program = by_ranges(ranges)
    for number in [*numbers, *starts]:
        expected = max(place for place, (start, _) in enumerate(ranges) if start <= number)
        assert answer(program, number) == expected


@pytest.mark.parametrize("filling", [0, 253, 254, 255, 256, 1000])
def test_a_jump_may_be_longer_than_its_field(filling):
    program = by_ranges([(0, "0"), (5, "1"), (10, "2"), (20, "1")], filling)
    assert [answer(program, n) for n in (0, 4, 5, 9, 10, 19, 20, 2**31)] == [0, 0, 1, 1, 2, 2, 1, 1]


@given(mask=DOUBLE_WORDS, values=st.lists(DOUBLE_WORDS, max_size=4), argument=DOUBLE_WORDS)
def test_an_argument_is_compared_in_both_halves(mask, values, argument):
    program = by_argument(mask, [value & mask for value in values])
    for candidate in [argument, *values, *(value ^ 2**32 for value in values)]:
        expected = candidate & mask in {value & mask for value in values}
        assert answer(program, 0, [7, 7, 7, candidate]) == expected


def test_a_mask_of_32_bits_ignores_the_upper_half():
    program = by_argument(0xFFFFFFFF, [0x5412])
    assert answer(program, 0, [0, 0, 0, 0xABCD_0000_5412])


def test_no_jump_goes_back():
    program = Assembler()
    program.label("back")
    program.load(0)
    program.jump("back")
    with pytest.raises(ValueError, match="back"):
        program.assemble()


def test_a_program_that_the_kernel_would_not_take_is_refused():
    program = Assembler()
    for _ in range(4097):
        program.answer(0)
    with pytest.raises(ValueError, match="4097 instructions"):
        program.assemble()


def test_a_label_names_one_place():
    program = Assembler()
    program.label("here")
    with pytest.raises(AssertionError, match="here"):
        program.label("here")


def test_a_short_jump_stays_one_instruction():
    assert len(decoded(by_ranges([(0, "0"), (5, "1")]))) == 4
