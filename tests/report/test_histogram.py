"""Scores in characters."""

from itemeval_assets.core.records.summaries import Graded, Scale
from itemeval_assets.report.render.histogram import histogram


def test_each_bin_has_a_line_whose_bar_is_its_share_of_the_largest():
    counts = [0, 1, 0, 0, 0, 0, 0, 0, 0, 50, 100]
    found = Graded(151, Scale(0, 5), counts, {}, {})
    first, *lines, last = histogram(found).splitlines()
    assert first == last == "```"
    assert [float(line.split()[0]) for line in lines] == [n / 2 for n in range(11)]
    assert [line.count("█") for line in lines] == [0, 1, *[0] * 7, 14, 28]
    assert [int(line.split()[-1]) for line in lines] == counts
