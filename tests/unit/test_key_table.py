"""Keys hold what decides bits and nothing else: edits, and whose keys each changes."""

import pytest

from tools.key_table import EDITS, changed


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.what)
def test_edit_changes_the_keys_of_what_it_decides(edit, tmp_path):
    assert changed(edit, tmp_path / "project") == edit.expected()
