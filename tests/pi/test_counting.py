"""What can be counted, and what is asked for in vain."""

from __future__ import annotations

import sys

import pytest
from pi import counting
from pi.steps import read_steps
from pi.systems import SYSTEMS
from pi.test_places import DOCUMENT


def test_what_is_counted_is_known_to_pi_test_and_documentation() -> None:
    steps = read_steps(DOCUMENT.read_text("utf-8"))
    systems = {system.name: system for system in SYSTEMS}
    for counted in counting._COUNTED.values():
        debian = systems[counted.system].debian
        assert debian is not None
        assert debian.emulation is not None
        assert debian.architecture in counting._GETPPID
        assert counted.steps in steps
        assert set(counted.processors) <= set(counting._PARTS)


def test_each_processor_is_told_as_what_it_is() -> None:
    assert "CPU part\t: 0xd08" in counting._cpuinfo("cortex-a72")
    assert "CPU architecture: 8" in counting._cpuinfo("cortex-a72")
    assert "CPU architecture: 7" in counting._cpuinfo("cortex-a7")


def test_a_processor_of_another_system_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["counting", "--on", "bookworm-armhf/32-bit", "--processor", "cortex-a53"]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as ended:
        counting.main()
    assert ended.value.code == 2
    assert "bookworm-armhf/32-bit is not counted on cortex-a53" in capsys.readouterr().err
