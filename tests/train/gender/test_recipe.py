"""A recipe is checked before anything starts; a run is compared by it after a trip through JSON."""

from __future__ import annotations

import json
import os
import re
from dataclasses import FrozenInstanceError, asdict, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recipes import write_changed_recipe

pytest.importorskip("pydantic")

from image_gender_classifier.errors import UsageError
from image_gender_classifier.train.common.pretrained import BLOCKS
from image_gender_classifier.train.common.split import HELD_OUT_FRACTION
from image_gender_classifier.train.gender.finetuning_recipe import (
    FineTuning,
    load_finetuning_recipe,
)
from image_gender_classifier.train.gender.recipe import (
    SHIPPED,
    NetworkRecipe,
    Recipe,
    Stage,
    load_gender_recipe,
)

STORED = 128
seeds = st.integers(0, 2**32 - 1)
shares = st.floats(0, 1, exclude_max=True)
amounts = st.floats(0, 1e6)


@st.composite
def trainings(draw: st.DrawFn) -> NetworkRecipe:
    lite = draw(st.sampled_from(sorted(BLOCKS)))
    distilled = draw(st.booleans())
    stages = st.builds(Stage, size=st.integers(32, STORED), epochs=st.integers(1, 99))
    return NetworkRecipe(
        seed=draw(seeds),
        efficientnet_lite=lite,
        blocks=draw(st.integers(1, BLOCKS[lite])),
        features=draw(st.integers(1, 2000)),
        dropout=draw(shares),
        stages=tuple(draw(st.lists(stages, min_size=1, max_size=4))),
        batch=draw(st.integers(1, 999)),
        learning_rate=draw(st.floats(1e-9, 9)),
        warmup_epochs=draw(shares),
        weight_decay=draw(amounts),
        mixed=draw(st.floats(0, 1)),
        label_smoothing=draw(shares),
        group_weight=draw(amounts),
        distilled=distilled,
        label_weight=1.0 if distilled else draw(st.floats(0, 1)),
        hidden_hair=draw(st.floats(0, 1)),
    )


def fine_tunings() -> st.SearchStrategy[FineTuning]:
    return st.builds(
        FineTuning,
        seed=seeds,
        epochs=st.integers(1, 99),
        patience=st.integers(1, 99),
        batch=st.integers(1, 999),
        learning_rate=st.floats(1e-9, 9),
        warmup_epochs=shares,
        label_weight=st.floats(0, 1),
        label_smoothing=shares,
        hidden_hair=st.floats(0, 1),
        mixed=st.floats(0, 1),
        views=st.integers(0, 99),
    )


def recipe_of(networks: list[NetworkRecipe], **others: Any) -> Recipe:
    """The last one is the student; the first one has no teacher."""
    first, *rest = networks
    *teachers, student = replace(first, distilled=False), *rest
    return Recipe(teachers=tuple(teachers), student=student, **others)


recipes = st.builds(
    recipe_of,
    seed=seeds,
    held_out=st.floats(HELD_OUT_FRACTION, 1, exclude_max=True),
    stored_size=st.integers(STORED, 500),
    pretrained=st.booleans(),
    mixed=st.floats(0, 1),
    views=st.integers(1, 99),
    networks=st.lists(trainings(), min_size=1, max_size=3),
    fine_tunings=st.lists(fine_tunings(), max_size=2).map(tuple),
)


def as_toml(recipe: Recipe) -> str:
    """JSON's numbers, true and false are TOML's, and its lists too."""
    content = asdict(recipe)
    tables = [("[student]", content.pop("student"))]
    tables += [("[[teachers]]", teacher) for teacher in content.pop("teachers")]
    tables += [("[[fine_tunings]]", tuning) for tuning in content.pop("fine_tunings")]
    lines = [f"{key} = {json.dumps(value)}" for key, value in content.items()]
    lines += ["teachers = []"] * (not recipe.teachers)
    lines += ["fine_tunings = []"] * (not recipe.fine_tunings)
    for head, table in tables:
        lines.append(head)
        for key, value in table.items():
            if key == "stages":
                stages = (f"{{ size = {one['size']}, epochs = {one['epochs']} }}" for one in value)
                lines.append(f"stages = [{', '.join(stages)}]")
            else:
                lines.append(f"{key} = {json.dumps(value)}")
    return "\n".join(lines)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("recipes") / "recipe.toml"


def test_the_shipped_recipe_is_the_default() -> None:
    recipe = load_gender_recipe()
    assert recipe == load_gender_recipe(SHIPPED)
    assert len(recipe.teachers) >= 1
    assert recipe.student.size == 96
    assert recipe.student.blocks < min(teacher.blocks for teacher in recipe.teachers)


def test_the_shipped_recipe_holds_out_the_default_fraction() -> None:
    assert load_gender_recipe().held_out == HELD_OUT_FRACTION


@given(recipe=recipes)
def test_a_written_recipe_is_read_exactly(recipe: Recipe, file: Path) -> None:
    file.write_text(as_toml(recipe))
    assert load_gender_recipe(file) == recipe


@given(recipe=recipes)
def test_equal_recipes_are_equal_as_json(recipe: Recipe, file: Path) -> None:
    """As `run.json` is compared: by the content, not by the recipe."""
    file.write_text(as_toml(recipe))
    content = json.loads(json.dumps(asdict(recipe)))
    assert content == json.loads(json.dumps(asdict(load_gender_recipe(file))))
    other = replace(recipe, seed=recipe.seed ^ 1)
    assert content != json.loads(json.dumps(asdict(other)))


@given(recipe=recipes)
def test_each_epoch_has_the_size_of_its_stage(recipe: Recipe) -> None:
    student = recipe.student
    sizes = [student.size_in_epoch(epoch) for epoch in range(student.epochs)]
    for stage in student.stages:
        assert sizes[: stage.epochs] == [stage.size] * stage.epochs
        del sizes[: stage.epochs]
    assert sizes == []
    assert student.size == student.stages[-1].size
    with pytest.raises(IndexError):
        student.size_in_epoch(student.epochs)


def test_recipes_are_immutable(tiny_recipe: Recipe) -> None:
    with pytest.raises(FrozenInstanceError):
        tiny_recipe.seed = 2  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        tiny_recipe.student.blocks = 2  # type: ignore[misc]


WRONG = [
    ("seed = 1", "seed = -1", "seed"),
    ("seed = 1", "seed = 4294967296", "seed"),
    ("seed = 1", "seed = 1.5", "seed"),
    ("seed = 1", 'seed = "1"', "seed"),
    ("seed = 1", "seed = true", "seed"),
    ("held_out = 0.2", "held_out = 0.04", "held_out"),
    ("held_out = 0.2", "held_out = 1", "held_out"),
    ("held_out = 0.2", "held_out = nan", "held_out"),
    ("stored_size = 40", "stored_size = 0", "stored_size"),
    ("stored_size = 40", "stored_size = 39", "stored_size"),
    ("pretrained = false", "pretrained = 2", "pretrained"),
    ("pretrained = false", 'pretrained = "yes"', "pretrained"),
    ("pretrained = false", "pretrained = false\nepochs = 3", "epochs"),
    ("[[teachers]]", "[teachers]", "teachers"),
    ("[[teachers]]", "[[masters]]", "masters"),
    ("seed = 1\nefficientnet_lite", "seed = -1\nefficientnet_lite", "teachers.0.seed"),
    ("mixed = 0.5\nlabel", "mixed = 2\nlabel", "teachers.0.mixed"),
    ("efficientnet_lite = 2", "efficientnet_lite = 3", "teachers.0.efficientnet_lite"),
    ("efficientnet_lite = 2", "efficientnet_lite = -1", "teachers.0.efficientnet_lite"),
    ("{ size = 40", "{ size = 41", "stored_size"),
    ("views = 2", "views = 0", "views"),
    ("views = 2", "view = 2", "view"),
    ("mixed = 0.5", "mixed = 1.1", "mixed"),
    ("mixed = 0.5", "mixed = -0.1", "mixed"),
    ("distilled = true", "distilled = true\nlabel_weight = 0.5", "has no effect"),
    ("distilled = false", "distilled = false\nlabel_weight = 2", "teachers.0.label_weight"),
    ("distilled = true", "distilled = true\nhidden_hair = 1.5", "student.hidden_hair"),
    ("patience = 1", "patience = 1\nviews = -1", "fine_tunings.0.views"),
    ("patience = 1", "patience = 1\nviews = true", "fine_tunings.0.views"),
    ("blocks = 1\n", "blocks = 0\n", "teachers.0.blocks"),
    (
        "[student]\nseed = 0\nefficientnet_lite = 0\nblocks = 1",
        "[student]\nseed = 0\nefficientnet_lite = 0\nblocks = 17",
        "student",
    ),
    (
        "[student]\nseed = 0\nefficientnet_lite = 0\nblocks = 1",
        "[student]\nseed = 0\nefficientnet_lite = 1\nblocks = 22",
        "student",
    ),
    ("efficientnet_lite = 2\nblocks = 1", "efficientnet_lite = 2\nblocks = 22", "teachers.0"),
    ("features = 8", "features = 0", "teachers.0.features"),
    ("dropout = 0.2", "dropout = 1", "teachers.0.dropout"),
    ("dropout = 0.2", "dropout = inf", "teachers.0.dropout"),
    ("{ size = 32, epochs = 2 }", "", "student.stages"),
    ("{ size = 32, epochs = 2 }", "{ size = 31, epochs = 3 }", "student.stages.0.size"),
    ("{ size = 32, epochs = 2 }", "{ size = 32, epochs = 0 }", "student.stages.0.epochs"),
    ("{ size = 32, epochs = 2 }", "{ size = 32 }", "student.stages.0.epochs"),
    ("{ size = 32, epochs = 2 }", "{ size = 32, epochs = 2, x = 1 }", "student.stages.0.x"),
    ("stages = [{ size = 32, epochs = 2 }]", "stages = 3", "student.stages"),
    ("batch = 16", "batch = 0", "teachers.0.batch"),
    ("batch = 16", "batch = 16\npatience = 3", "teachers.0.patience"),
    ("learning_rate = 0.002", "learning_rate = 0", "teachers.0.learning_rate"),
    ("learning_rate = 0.002", "learning_rate = nan", "teachers.0.learning_rate"),
    ("learning_rate = 0.002", "learning_rate = inf", "teachers.0.learning_rate"),
    ("warmup_epochs = 0.5", "warmup_epochs = -1", "teachers.0.warmup_epochs"),
    ("warmup_epochs = 0.5", "warmup_epochs = 1", "teachers.0"),
    ("weight_decay = 0.02", "weight_decay = -0.1", "teachers.0.weight_decay"),
    ("label_smoothing = 0.05", "label_smoothing = 1", "teachers.0.label_smoothing"),
    ("group_weight = 0.2", "group_weight = -1", "teachers.0.group_weight"),
    ("group_weight = 0.2", "group_weight = []", "teachers.0.group_weight"),
    ("distilled = false", "distilled = 0", "teachers.0.distilled"),
    ("hidden_hair = 0.5", "hidden_hair = 1.1", "fine_tunings.0.hidden_hair"),
    ("label_weight = 0.5", "label_weight = -1", "fine_tunings.0.label_weight"),
    ("label_weight = 0.5", "label_weight = 0.5\nheld_out = 0.2", "fine_tunings.0.held_out"),
    ("distilled = false", "distilled = true", "the first network has distilled = true"),
]


@pytest.mark.parametrize(("right", "wrong", "key"), WRONG)
def test_an_invalid_value_is_reported_with_file_and_key(
    right: str, wrong: str, key: str, tiny_file: Path, file: Path
) -> None:
    write_changed_recipe(tiny_file, file, (right, wrong))
    with pytest.raises(
        UsageError, match=rf"^{re.escape(str(file))}: .*{re.escape(key)}"
    ) as reported:
        load_gender_recipe(file)
    assert "\n" not in str(reported.value)


@pytest.mark.parametrize("content", [b"seed = ", b"[student", b"seed = 1\nseed = 1", b"\xff"])
def test_invalid_toml_is_reported(content: bytes, file: Path) -> None:
    file.write_bytes(content)
    with pytest.raises(UsageError, match=rf"^{re.escape(str(file))}: the recipe is not valid TOML"):
        load_gender_recipe(file)


@pytest.mark.parametrize("content", ["recipe = []", "[student]\nepochs = 3", "student = 3"])
def test_unknown_fields_are_reported(content: str, file: Path) -> None:
    file.write_text(content)
    with pytest.raises(UsageError, match=rf"^{re.escape(str(file))}: "):
        load_gender_recipe(file)


def test_missing_fields_have_the_shipped_values(file: Path) -> None:
    shipped = load_gender_recipe()
    for content, expected in (
        ("", shipped),
        ("seed = 5", replace(shipped, seed=5)),
        ("[student]\nbatch = 8", replace(shipped, student=replace(shipped.student, batch=8))),
    ):
        file.write_text(content)
        assert load_gender_recipe(file) == expected
    file.write_text("epochs = 2\nlabel_weight = 1.0")
    tuning = load_finetuning_recipe()
    assert load_finetuning_recipe(file) == replace(tuning, epochs=2, label_weight=1.0)
    file.write_text("epochs = 1")
    with pytest.raises(UsageError, match="warmup_epochs = 1 must be less"):
        load_finetuning_recipe(file)


def test_a_file_that_cannot_be_read_is_reported(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.toml", tmp_path):
        with pytest.raises(
            UsageError, match=rf"^{re.escape(str(path))}: the recipe cannot be read"
        ):
            load_gender_recipe(path)


def test_teachers_are_optional(tiny_recipe: Recipe, file: Path) -> None:
    alone = replace(tiny_recipe, teachers=(), student=replace(tiny_recipe.student, distilled=False))
    file.write_text(as_toml(alone))
    assert load_gender_recipe(file) == alone


@pytest.mark.parametrize("content", [None, "a = " + "[" * 100_000])
def test_a_pipe_or_nested_toml_is_reported(content: str | None, tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    if content is None:
        os.mkfifo(path)
    else:
        path.write_text(content)
    with pytest.raises(
        UsageError, match=r"recipe\.toml: the recipe (cannot be read|is not valid TOML)"
    ):
        load_gender_recipe(path)
