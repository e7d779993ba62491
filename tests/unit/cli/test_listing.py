from __future__ import annotations

import pytest

from jubako.cli import listing
from jubako.cli.texttable import align

NOW = 1_800_000_000.0


def document(**changes: object) -> dict[str, object]:
    return {
        "Id": "c4bac84b4a5ab0b48608b718ac9984e3a0fb45c082a68289a8f0685f71109436",
        "Names": ["/web"],
        "Image": "busybox",
        "ImageID": "sha256:" + "ab" * 32,
        "Command": "sleep 1000",
        "Created": int(NOW) - 120,
        "Ports": [],
        "Labels": {},
        "State": "running",
        "ExitCode": 0,
        "StartedAt": "2027-01-15T07:59:00.5Z",
        "FinishedAt": "0001-01-01T00:00:00Z",
        "Mounts": [],
        **changes,
    }


def test_a_row_is_cut_to_what_people_read():
    row = listing.row(document(Command="sh -c 'echo a very long line'"), now=NOW)
    assert row["ID"] == "c4bac84b4a5a"
    assert row["Command"] == '"sh -c \'echo a very …"'
    assert row["RunningFor"] == "2 minutes ago"
    assert row["Names"] == "web"


def test_nothing_is_cut_with_no_trunc():
    row = listing.row(document(), truncate=False, now=NOW)
    assert len(str(row["ID"])) == 64
    assert row["Command"] == '"sleep 1000"'


def test_an_image_without_a_name_shows_its_short_id():
    assert listing.row(document(Image="sha256:" + "ab" * 32), now=NOW)["Image"] == "abababababab"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "Up 59 seconds"),
        ({"State": "paused"}, "Up 59 seconds (Paused)"),
        ({"State": "created"}, "Created"),
        ({"State": "exited", "ExitCode": 3, "FinishedAt": "2027-01-15T07:59:58Z"}, "Exited (3) 2 seconds ago"),
        ({"State": "removing"}, "Removal In Progress"),
        ({"State": "dead"}, "Dead"),
    ],
)
def test_status(changes, text):
    assert listing.status(document(**changes), NOW) == text


def port(private: int, public: int | None = None, host: str = "0.0.0.0", kind: str = "tcp") -> dict[str, object]:
    shown: dict[str, object] = {"PrivatePort": private, "Type": kind}
    return {**shown, "IP": host, "PublicPort": public} if public else shown


@pytest.mark.parametrize(
    ("ports", "text"),
    [
        ([], ""),
        ([port(80)], "80/tcp"),
        ([port(80, 8080)], "0.0.0.0:8080->80/tcp"),
        ([port(80, 80, "::")], ":::80->80/tcp"),
        ([port(81, 8081, "::1")], "[::1]:8081->81/tcp"),
        ([port(9001, 9001), port(9000, 9000)], "0.0.0.0:9000-9001->9000-9001/tcp"),
        (
            [port(9000, 9000, "127.0.0.1", "udp"), port(9001, 9001, "127.0.0.1", "udp"), port(80, 8080)],
            "127.0.0.1:9000-9001->9000-9001/udp, 0.0.0.0:8080->80/tcp",
        ),
        ([port(80), port(81), port(90)], "80-81/tcp, 90/tcp"),
    ],
)
def test_ports(ports, text):
    assert listing.ports(ports) == text


def test_columns_are_at_least_ten_wide_with_three_blanks_between():
    assert align(["ID\tNAMES", "a\tb"]) == "ID        NAMES\na         b\n"
    assert align(["0123456789\tx", "a\ty"]) == "0123456789   x\na            y\n"


def test_an_empty_column_keeps_its_width():
    assert align(["A\t\tC", "a\t\tc"]) == "A                   C\na                   c\n"


def test_a_shorter_line_ends_a_column():
    assert align(["aaaaaaaaaaaa\tb", "title", "a\tb"]) == "aaaaaaaaaaaa   b\ntitle\na         b\n"
