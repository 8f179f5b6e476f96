"""What is said of the models that replies say they are of."""

from itemeval_assets.core.records.served import changed_words, served_name, served_words


def test_a_condition_of_several_models_is_told_once_for_each_set_of_them() -> None:
    mixed = {"m-1": 3, "m-2": 1}
    labels = [f"a{number}" for number in range(5)]
    [one, two] = served_words(
        {**dict.fromkeys(labels, mixed), "b": {"x": 1}, "c": {"x": 1, "y": 2}}
    )
    assert one.startswith("a0, a1, a2 and 2 more: the replies are of 2 models")
    assert "m-1 (15), m-2 (5)" in one and two.startswith("c: ")


def test_one_model_of_two_providers_is_told() -> None:
    mixed = {served_name("m", "A"): 2, served_name("m", "B"): 1}
    [told] = served_words({"a": mixed, "b": {served_name("m", "A"): 3}})
    assert told.startswith("a: the replies are of 2 models or providers, as they say themselves:")
    assert "m by A (2), m by B (1)" in told and "solvers.provider_routing" in told


def test_a_later_time_of_another_model_is_told_where_both_say_so() -> None:
    assert [*changed_words("a · wave w", {"m-1": 3}, {"m-2": 3})] == [
        "a · wave w: the replies say that they are of m-2; those of before, of m-1."
    ]
    assert not [*changed_words("a", {"m-1": 3}, {"m-1": 9}), *changed_words("a", {}, {"m-1": 9})]
