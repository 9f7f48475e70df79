"""The report of invented outcomes, whose ranks, ratios and counts are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from benchmarks.tables.outcomes import Key
from benchmarks.tables.problems import FRESH
from benchmarks.tables.report import CONTENDERS, OWN, ablation, page
from benchmarks.tables.standings import Standings

CLASSES = ("c1", "c2", "c3", "c4")
NUMBERS = ("n1", "n2")
TABLES = (*CLASSES, *NUMBERS)


def entry(table, loss, error, ece=0.1, loss_se=0.01):
    own = {"ece": ece} if table in CLASSES else {"mae": loss}
    error = error if table in CLASSES else loss
    made = {"seconds": 2.0, "cpu": 1.0, "versions": {"package": "1.0"}, "machine": "an invented machine"}
    return {"loss": loss, "loss_se": loss_se, "error": error, **own, **made}


def invented(**losses_by_method):
    """Return outcomes on two cuts of every table; the cuts lie 0.1 to either side of the loss."""
    return {
        Key(method, table, split): entry(table, loss + (0.1, -0.1)[split], loss / 10)
        for method, losses in losses_by_method.items()
        for table, loss in zip(TABLES, losses, strict=True)
        for split in (0, 1)
    }


@pytest.fixture
def outcomes():
    return invented(
        **{
            "taut standard": (1.0, 1.0, 1.0, 2.0, 1.0, 1.0),
            "taut none": (2.0, 2.0, 2.0, 2.0, 2.0, 2.0),
            "CatBoost": (3.0, 3.0, 0.5, 2.0, 3.0, 3.0),
            "linear": (4.0, 0.98, 4.0, 4.0, 4.0, 4.0),
            "constant": (5.0, 5.0, 5.0, 5.0, 5.0, 0.995),
        }
    )


def test_mean_ranks_share_what_is_equal(outcomes):
    ranks = Standings(outcomes, (0, 1)).mean_ranks(["taut standard", "taut none", "CatBoost"], "loss")
    assert ranks == {
        "taut standard": pytest.approx((1 + 1 + 2 + 2 + 1 + 1) / 6),
        "taut none": pytest.approx((2 + 2 + 3 + 2 + 2 + 2) / 6),
        "CatBoost": pytest.approx((3 + 3 + 1 + 2 + 3 + 3) / 6),
    }


def test_cuts_that_nothing_was_decided_on_are_held_apart(outcomes):
    title = "## A cut on which nothing was decided"
    assert title not in page(outcomes, [])
    fresh = {Key(key.method, key.table, cut): value for key, value in outcomes.items() for cut in FRESH}
    better = {key: value | {"loss": 0.5 * value["loss"]} for key, value in fresh.items() if key.method == OWN}
    text = page(outcomes | fresh | better, [])
    before, after = text.split(title)
    assert before == page(outcomes, []).split("## Beside what is simpler")[0]
    first, rest = after.split("### taut standard beside the others on it")[1].split("\n## ", 1)
    line = next(line for line in first.splitlines() if line.startswith("| taut none |"))
    assert f"| 6–0–0 | {0.5 * (0.9 / 1.9) ** (5 / 6):.3f} " in line
    assert not rest.startswith("#")


def test_who_lacks_a_cut_is_not_ranked_but_named_with_how_many_are_there(outcomes):
    del outcomes[Key("CatBoost", "c1", 1)]
    assert "CatBoost" not in Standings(outcomes, (0, 1)).mean_ranks(list(CONTENDERS), "loss")
    text = page(outcomes, [])
    assert "CatBoost (11 of 12 cuts in loss, 11 in error)" in text
    assert "LightGBM (0 of 12 cuts in loss, 0 in error)" in text
    first = text.partition("Over the first cut of each table alone")[2].partition("## ")[0]
    assert "| CatBoost |" in first


def test_a_failure_is_a_lack_and_is_told(outcomes):
    outcomes[Key("CatBoost", "n1", 0)] = {"failed": "ValueError: no", "versions": {}, "machine": "an invented machine"}
    assert "CatBoost" not in Standings(outcomes, (0, 1)).mean_ranks(list(CONTENDERS), "loss")
    assert "- CatBoost on n1, cut 0: ValueError: no" in page(outcomes, [])


def test_losses_are_of_the_method_for_loss_and_errors_of_that_for_error(outcomes):
    for table in TABLES:
        for split in (0, 1):
            outcomes[Key("RealMLP-TD (loss)", table, split)] = entry(table, 0.7, 0.4)
            if table in CLASSES:
                outcomes[Key("RealMLP-TD (error)", table, split)] = entry(table, 0.9, 0.2)
    standings = Standings(outcomes, (0, 1))
    assert set(standings.means("RealMLP-TD", "loss").values()) == {0.7}
    assert standings.means("RealMLP-TD", "error") == dict.fromkeys(CLASSES, 0.2) | dict.fromkeys(NUMBERS, 0.7)
    for key in [key for key in outcomes if key.method == "RealMLP-TD (error)"]:
        del outcomes[key]
    standings = Standings(outcomes, (0, 1))
    assert standings.count("RealMLP-TD", "loss") == 12
    assert standings.count("RealMLP-TD", "error") == 4  # of numbers; the method for loss does not stand in for it


def test_a_duel_in_loss(outcomes):
    duel = Standings(outcomes, (0, 1)).duel("taut standard", "CatBoost", "loss")
    logs = np.log([1 / 3, 1 / 3, 2.0, 1.0, 1 / 3, 1 / 3])
    low, high = stats.t.interval(0.95, 5, logs.mean(), stats.sem(logs))
    assert (duel.n_tables, duel.wins, duel.ties, duel.losses) == (6, 4, 1, 1)
    assert duel.effect == pytest.approx(np.exp(logs.mean()))
    assert (duel.low, duel.high) == pytest.approx((np.exp(low), np.exp(high)))
    assert duel.p_value == pytest.approx(stats.wilcoxon(logs).pvalue)


def test_an_ablation_holds_every_variant_beside_what_is_whole():
    outcomes = invented(
        **{
            "as it is": (1.0, 1.0, 1.0, 1.0, 1.0, 1.0),
            "ReLU": (2.0, 2.0, 2.0, 2.0, 2.0, 0.5),
            "all of it": (1.0, 1.0, 1.0, 1.0, 1.0, 1.0),
            "the temperature": (0.5, 0.5, 0.5, 0.5, 0.5, 0.5),
        }
    )
    lines = ablation("{ingredients}\n\nAnd:\n\n{parts}", outcomes).splitlines()
    change = 100 * (2 ** (4 / 6) - 1)
    assert lines[0].startswith("| variant |")
    assert lines[2].startswith(f"| ReLU | {change:+.1f} % | ")
    assert "| 5 of 6 |" in lines[2]
    assert lines[3:6] == ["", "And:", ""]
    assert lines[8].startswith("| the temperature | -50.0 % | -50.0 % to -50.0 % | 0 of 6 |")


def test_a_duel_in_error_is_over_the_tables_with_classes(outcomes):
    duel = Standings(outcomes, (0, 1)).duel("taut standard", "CatBoost", "error")
    assert (duel.n_tables, duel.wins, duel.ties, duel.losses) == (4, 2, 1, 1)
    assert duel.effect == pytest.approx(np.mean([-0.2, -0.2, 0.05, 0.0]))


def test_a_duel_in_error_over_all_tables_asks_for_no_unit(outcomes):
    before = Standings(outcomes, (0, 1)).duel("taut standard", "CatBoost", "error, all")
    assert before.n_tables == 6
    for key, entry in outcomes.items():
        if key.table in NUMBERS:
            outcomes[key] = entry | {"error": 1000 * entry["error"]}
    assert Standings(outcomes, (0, 1)).duel("taut standard", "CatBoost", "error, all") == before
    assert -1.0 < before.low < before.effect < before.high < 1.0


def test_a_duel_is_over_the_cuts_that_both_have(outcomes):
    for table in TABLES:
        del outcomes[Key("CatBoost", table, 1)]
    del outcomes[Key("CatBoost", "n2", 0)]
    duel = Standings(outcomes, (0, 1)).duel("taut standard", "CatBoost", "loss")
    assert duel.n_tables == 5
    assert duel.effect == pytest.approx(np.exp(np.mean(np.log([1.1 / 3.1, 1.1 / 3.1, 1.1 / 0.6, 1.0, 1.1 / 3.1]))))


def test_a_duel_of_equals_is_not_surprising(outcomes):
    duel = Standings(outcomes, (0, 1)).duel("linear", "linear", "loss")
    assert (duel.wins, duel.ties, duel.effect, duel.p_value) == (0, 6, 1.0, 1.0)


def test_worse_than_simple_by_more_than_a_standard_error(outcomes):
    # On c2 linear is 0.02 better, on n2 the constant 0.005: more and less than the standard error of 0.01.
    assert Standings(outcomes, (0, 1)).worse_than_simple("taut standard", ("linear", "constant")) == (["c2"], 6)


def test_calibration_is_compared_where_there_are_classes(outcomes):
    outcomes[Key("taut standard", "c1", 0)]["ece"] = 0.3
    assert Standings(outcomes, (0, 1)).as_calibrated("taut standard", "CatBoost") == (3, 4)


def test_seconds(outcomes):
    outcomes[Key("taut standard", "c1", 0)]["seconds"] = 30.0
    assert "| **taut standard** | 12 | 2.0 | 2.0 | 30 | 1.0 | 1.0 | 1.0 |" in page(outcomes, [])


def test_the_page_holds_every_figure_and_what_was_written_by_hand(outcomes):
    text = page(outcomes, ["## Ablation\n\nWhat each part is worth.\n"])
    assert "an invented machine" in text
    assert "| c3 | 2.000 | 1.000 | **0.5000** | 4.000 | 5.000 |" in text
    assert "| c3 | 20.00 | 10.00 | **5.000** |" in text
    assert "\n\n## Ablation\n\nWhat each part is worth.\n\n## Seconds" in text
    assert "- taut standard: on 5 of 6 tables; worse on c2." in text
    assert text.endswith("Versions: package 1.0.\n")


def test_figures_of_a_part_of_the_cuts_are_marked_and_not_the_best(outcomes):
    del outcomes[Key("CatBoost", "c3", 1)]
    text = page(outcomes, [])
    assert "| c3 | 2.000 | **1.000** | 0.6000 ¹ |" in text
    assert "¹ Not on all cuts of the table" in text


def test_a_page_of_nothing_says_so():
    text = page({}, [])
    assert "Mean rank over 0 tables" in text
    assert "## Losses" not in text
