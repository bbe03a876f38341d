"""Keys: the hash of all that decides bits."""

import re

import pytest

from vla.plan.keys import key_of

IDENTITY = {"seed": 42, "model": {"width": 96, "betas": [0.9, 0.95]}, "code": {"a.py": "00"}}


def test_key_is_twelve_hex_digits_whatever_the_order():
    turned = {
        "code": {"a.py": "00"},
        "model": {"betas": [0.9, 0.95], "width": 96},
        "seed": 42,
    }
    assert re.fullmatch("[0-9a-f]{12}", key_of(IDENTITY))
    assert key_of(turned) == key_of(IDENTITY)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 43},
        {"seed": "42"},
        {"seed": None},
        {"model": {"width": 96, "betas": [0.95, 0.9]}},
        {"model": {"width": 97, "betas": [0.9, 0.95]}},
        {"more": 1},
    ],
)
def test_another_value_gives_another_key(change):
    assert key_of(IDENTITY | change) != key_of(IDENTITY)


def test_key_of_a_value_does_not_change_between_versions():
    """Keys of results that lie on disk must stay what they are."""
    assert key_of({"seed": 42, "model": {"width": 96}}) == "1995f4c5e7dd"


def test_no_number_no_key():
    with pytest.raises(ValueError, match="JSON"):
        key_of({"learning_rate": float("nan")})


def test_an_entry_without_value_is_not_an_absent_entry():
    assert key_of({"model": {}}) != key_of({"model": {"action_head": None}})
