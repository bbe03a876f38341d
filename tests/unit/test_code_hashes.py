"""The code in a key: what is executed changes it, and nothing else does."""

import pytest

from vla.errors import UserError
from vla.source.closure import code_hashes

ENTRY = '''"""Entry."""
import lib.model


class Settings:
    size: int = 3


def run(size=Settings.size):
    """Say it."""
    # twice
    return [lib.model.double(size), size[1:] if size > 1 else None]
'''
TREE = {
    "scripts/train.py": ENTRY,
    "lib/__init__.py": "",
    "lib/model.py": "from lib import base\n\n\ndef double(size):\n    return base.TWO * size\n",
    "lib/base.py": "TWO = 2\n",
    "lib/unused.py": "THREE = 3\n",
    "vla/plan/plan.py": "SCHEME = 1\n",
}


@pytest.fixture
def hashes(tmp_path):
    """Hashes of a tree with some files changed; each in a folder of its own: paths are cached."""
    count = iter(range(100))

    def of(changes: dict[str, str | None] | None = None, entry: str = "scripts/train.py"):
        root = tmp_path / str(next(count))
        for name, text in (TREE | (changes or {})).items():
            if text is not None:
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
        return code_hashes({"entry": root / entry}, root)

    return of


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# twice", "# another comment"),
        ('"""Say it."""', '"""Say it in other words."""'),
        ('    """Say it."""\n', ""),
        ("size: int = 3", 'size: int = 3\n    """What it is."""'),
        ("[lib.model.double(size), ", "[\n        lib.model.double(  size),\n        "),
        ('"""Entry."""', "'''Another\nentry.'''"),
        ("import lib.model\n", "import lib.model\n\n\n\n"),
    ],
)
def test_words_and_layout_change_nothing(hashes, old, new):
    assert old in ENTRY
    assert hashes({"scripts/train.py": ENTRY.replace(old, new)}) == hashes()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("= 3", "= 4"),
        ("= 3", "= 3.0"),
        ("size: int = 3", "size: int = 3\n    name = '''What it is.'''"),
        ("size[1:]", "size[:1]"),
        ("size > 1", "size < 1"),
        ("else None", "else False"),
        ("def run(size=", "def run(*, size="),
        ("lib.model.double(size)", "size, lib.model.double"),
    ],
)
def test_changed_expression_changes_the_entry_alone(hashes, old, new):
    assert old in ENTRY
    before, after = hashes(), hashes({"scripts/train.py": ENTRY.replace(old, new)})
    assert {name for name in before if before[name] != after[name]} == {"entry"}


def test_modules_imported_directly_and_through_others_count(hashes):
    assert set(hashes()) == {"entry", "lib/__init__.py", "lib/model.py", "lib/base.py"}
    assert hashes({"lib/base.py": "TWO = 3\n"}) != hashes()
    assert hashes({"lib/__init__.py": "import sys\n"}) != hashes()


@pytest.mark.parametrize(
    "statement",
    [
        "import lib.unused",
        "from lib import unused",
        "from lib.unused import THREE",
        "import lib.unused as x",
    ],
)
def test_every_form_of_import_is_followed(hashes, statement):
    inside = ENTRY.replace("# twice", statement)
    changed = {"scripts/train.py": inside, "lib/unused.py": "THREE = 4\n"}
    assert hashes(changed) != hashes({"scripts/train.py": inside})


def test_module_that_is_not_imported_changes_nothing(hashes):
    assert hashes({"lib/unused.py": "THREE = 4\n"}) == hashes()
    assert hashes({"lib/unused.py": None}) == hashes()


def test_modules_that_only_plan_change_nothing(hashes):
    importing = {"scripts/train.py": "import vla.plan\n" + ENTRY}
    assert hashes(importing | {"vla/plan/plan.py": "SCHEME = 2\n"}) == hashes(importing)


def test_module_beside_the_entry_counts(hashes):
    trees = [
        {"scripts/train.py": "import helper\n", "scripts/helper.py": f"A = {a}\n"} for a in (1, 2)
    ]
    assert hashes(trees[0]) != hashes(trees[1])


def test_folder_of_the_entry_does_not_count(hashes):
    def experiment(name: str) -> dict[str, str]:
        folder = f"experiments/{name}"
        files = {
            f"{folder}/train.py": "import helper\nimport lib.model\n",
            f"{folder}/helper.py": "A = 1\n",
        }
        return hashes(files, entry=f"{folder}/train.py")

    assert experiment("exp_001") == experiment("exp_002_copied")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("from . import helper\n", "line 1: relative import"),
        ("from .helper import A\n", "line 1: relative import"),
        ("def run(:\n", "is not valid Python"),
        (None, "is missing"),
    ],
)
def test_code_that_cannot_be_keyed_is_refused(hashes, text, said):
    with pytest.raises(UserError, match=said) as caught:
        hashes({"scripts/train.py": text})
    assert "scripts/train.py" in caught.value.problem


TALKATIVE = """
import logging
import warnings

logger = logging.getLogger("vla")


def work(values):
    if not values:
        raise ValueError("no values", len(values))
    assert values[0] > 0, "negative"
    logger.info("%d values", values[0])
    logging.getLogger("vla").warning("first")
    return max(values)
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"no values"', 'f"there are no values in {values}"'),
        ('"negative"', '"below zero"'),
        ('"%d values", values[0]', '"first of %s", values'),
        ('    logging.getLogger("vla").warning("first")\n', ""),
        ("    return max", '    logger.debug("at the end")\n    return max'),
    ],
)
def test_messages_change_nothing(hashes, old, new):
    assert old in TALKATIVE
    changed = {"scripts/train.py": TALKATIVE.replace(old, new)}
    assert hashes(changed) == hashes({"scripts/train.py": TALKATIVE})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("ValueError(", "KeyError("),
        ("len(values))", "values.clear())"),
        ("values[0] > 0", "values[0] > 1"),
        ('"%d values", values[0]', '"%d values", values.pop()'),
        ('logger.info("%d values", values[0])', "values.info(values[0])"),
        ("return max(values)", 'return max("first")'),
    ],
)
def test_what_acts_in_a_message_or_is_none_counts(hashes, old, new):
    assert old in TALKATIVE
    changed = {"scripts/train.py": TALKATIVE.replace(old, new)}
    assert hashes(changed) != hashes({"scripts/train.py": TALKATIVE})


def test_imports_for_type_checkers_do_not_count(hashes):
    entry = "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    import lib.unused\n"
    assert "lib/unused.py" not in hashes({"scripts/train.py": entry})
    entry += "else:\n    import lib.base\n"
    assert "lib/base.py" in hashes({"scripts/train.py": entry})
