"""Words of packaged templates that an import has brought, beside the YAML."""

from pathlib import Path

import pytest

from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.prompts.templates import make_template
from itemeval_assets.storage.study.inputs.template_lock import (
    add_to_template_lock,
    lock_path,
    read_template_lock,
)

WORDS = make_template("builtin:minimal", "", "Other words: {input}\n")


def test_words_come_back_and_others_are_added(tmp_path: Path) -> None:
    assert read_template_lock("s", tmp_path) == {"prompts": {}, "rubrics": {}}
    add_to_template_lock("s", tmp_path, {"prompts": {WORDS.name: WORDS}})
    add_to_template_lock("s", tmp_path, {"rubrics": {"builtin:standard": WORDS}})
    found = read_template_lock("s", tmp_path)
    assert found["prompts"][WORDS.name].text == WORDS.text
    assert [*found["rubrics"]] == ["builtin:standard"]
    assert [path.name for path in tmp_path.iterdir()] == ["s.template_lock.json"]


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"prompts": []}',
        '{"prompts": {"builtin:minimal": {"text": "x"}}}',
        '{"prompts": {"builtin:minimal": {"text": "x", "sha256": "0"}}}',
    ],
)
def test_a_damaged_file_is_told(text: str, tmp_path: Path) -> None:
    lock_path("s", tmp_path).write_text(text)
    with pytest.raises(ConfigError, match=r"s.template_lock.json does not hold the words"):
        read_template_lock("s", tmp_path)
