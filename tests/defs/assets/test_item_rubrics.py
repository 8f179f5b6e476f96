"""Rubrics that models write, in Dagster: an asset with its checks, upstream of the gradings."""

from pathlib import Path

import dagster as dg

from itemeval_assets.core.design.partitions import RUBRIC
from itemeval_assets.dagster_io.naming.keys import PartitionKeys
from itemeval_assets.defs.automation.reruns import _requests
from itemeval_assets.defs.build import build_definitions
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.settings import Settings
from tests.studies import write_study


def test_the_graph_has_them_where_a_study_has_them(tmp_path: Path) -> None:
    writer = {"materialize": {"model": "mockllm/w", "template": "w"}, "grade_template": "g"}
    rubrics = {"rubrics": {"own": writer}, "facets": {"rubric": ["own", "strict"]}}
    config = write_study(tmp_path, extra=rubrics)
    (tmp_path / "rubrics" / "w.md").write_text("{input}")
    (tmp_path / "rubrics" / "g.md").write_text("{rubric} {input} {solution}")
    study = load_study(config)
    [rubric] = study.rubric_partitions()
    keys = PartitionKeys(study)
    assert keys.partition(keys.of(rubric)) == rubric and "_" not in keys.of(rubric)
    graph = build_definitions(Settings(), [study]).resolve_asset_graph()
    key = dg.AssetKey(["toy", RUBRIC.table])
    assert graph.get(dg.AssetKey(["toy", "gradings"])).parent_keys >= {key}
    assert graph.get(dg.AssetKey(["toy", "ledger"])).parent_keys >= {
        dg.AssetKey(["toy", RUBRIC.ledger])
    }
    checks = {check.name for check in graph.asset_check_keys if check.asset_key == key}
    assert checks == {"keys_unique", "no_errored_rows", "complete"}
    [(assets, tags)] = _requests(study, [rubric])
    assert assets[0] == key and keys.of(rubric) in tags.values()
    graph = build_definitions(Settings(), [load_study(write_study(tmp_path / "none"))])
    assert key not in graph.resolve_asset_graph().get_all_asset_keys()
