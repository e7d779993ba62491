"""Labels as operations of the plan, on machines that have AppArmor or SELinux and on such that have not."""

from __future__ import annotations

from pathlib import Path

import pytest

from jubako.errors import InvalidArgument
from jubako.runtime import labels
from jubako.runtime.labels import Modules
from jubako.runtime.plan import Plan
from jubako.spec.oci_runtime import Process

NONE, APPARMOR, SELINUX = Modules(False, False), Modules(True, False), Modules(False, True)


def planned(process: Process, known: Modules) -> bytes:
    plan = Plan()
    labels.add_labels(plan, process, known)
    return plan.encode()


def test_a_profile_of_apparmor_is_taken_at_exec() -> None:
    plan = planned(Process(apparmor_profile="confined"), APPARMOR)
    assert b"exec\0" in plan
    assert b"exec confined\0" in plan


def test_a_label_of_selinux_is_taken_at_exec_and_by_mounts() -> None:
    assert b"u:r:t:s0:c1,c2\0" in planned(Process(selinux_label="u:r:t:s0:c1,c2"), SELINUX)
    assert labels.mount_data("tmpfs", "u:r:t:s0", SELINUX) == ["context=u:r:t:s0"]
    assert labels.mount_data("proc", "u:r:t:s0", SELINUX) == []


def test_what_can_not_be_given_is_refused() -> None:
    with pytest.raises(InvalidArgument, match=r"process\.apparmorProfile is confined, but AppArmor is disabled"):
        planned(Process(apparmor_profile="confined"), SELINUX)
    with pytest.raises(InvalidArgument, match=r"process\.selinuxLabel is u:r:t:s0, but selinux is disabled"):
        planned(Process(selinux_label="u:r:t:s0"), APPARMOR)
    with pytest.raises(InvalidArgument, match=r"linux\.mountLabel is u:r:t:s0, but selinux is disabled"):
        labels.mount_data("tmpfs", "u:r:t:s0", APPARMOR)


def test_nothing_asked_is_nothing_done() -> None:
    empty = Plan().encode()
    for known in (NONE, APPARMOR, SELINUX):
        assert planned(Process(), known) == empty
        assert labels.mount_data("tmpfs", "", known) == []
    assert planned(Process(apparmor_profile="unconfined"), NONE) == empty


def test_modules_are_found_where_they_tell_of_themselves(tmp_path: Path) -> None:
    assert labels.modules(str(tmp_path)) == NONE
    parameters = tmp_path / "module" / "apparmor" / "parameters"
    parameters.mkdir(parents=True)
    (parameters / "enabled").write_text("N\n")
    assert labels.modules(str(tmp_path)) == NONE
    (parameters / "enabled").write_text("Y\n")
    assert labels.modules(str(tmp_path)) == APPARMOR
    (tmp_path / "fs" / "selinux").mkdir(parents=True)
    (tmp_path / "fs" / "selinux" / "enforce").write_text("1")
    assert labels.modules(str(tmp_path)) == Modules(True, True)
