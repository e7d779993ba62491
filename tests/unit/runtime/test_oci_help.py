"""The help of `jubako-oci` is whole: a command or an option without words would be a KeyError for who asks."""

from __future__ import annotations

import pytest

from jubako.runtime.oci import help
from jubako.runtime.oci.arguments import COMMANDS, GLOBAL


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_of_a_command_is_explained(command: str) -> None:
    shown = help.text(command)
    assert f"jubako-oci {command} - " in shown
    assert [name for name in COMMANDS[command] if f"--{name}" not in shown] == []


def test_the_overview_names_every_command_and_every_global_option() -> None:
    shown = help.text("")
    assert [name for name in COMMANDS if f"\n   {name} " not in shown] == []
    assert [name for name in GLOBAL if f"   --{name}" not in shown] == []
