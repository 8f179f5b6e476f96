"""Names in Dagster."""

from itemeval_assets.dagster_io.naming.names import asset_key, identifier
from tests.defs.runs import toy_study


def test_asset_keys_start_with_the_study_and_groups_have_no_hyphen(tmp_path) -> None:
    study = toy_study(tmp_path, study="my-study_2")
    assert asset_key(study, "gradings").to_user_string() == "my-study_2/gradings"
    assert identifier(study) == "my_study_2"
