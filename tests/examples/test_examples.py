"""Each project of examples/ is built from its own packages, and does what its README says.

The packages come through the host's clients as they are configured here: what apt, pip and npm are told, the builds are
told as secrets. Where a client reaches nothing, what needs it is skipped. JUBAKO_EXAMPLES=all runs the long ones too.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.conftest import Cli

pytestmark = [
    pytest.mark.root,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root"),
]

EXAMPLES = Path(__file__).parents[2] / "examples"
SUITE = "debian:bookworm-slim"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
BUILD_S = 600
long_run = pytest.mark.skipif(os.environ.get("JUBAKO_EXAMPLES") != "all", reason="a long one: JUBAKO_EXAMPLES=all")


class Site:
    """An engine whose builds know what the host's package clients know."""

    def __init__(self, cli: Cli, base: str, secrets: dict[str, Path]) -> None:
        self.cli, self.base, self.secrets = cli, base, secrets

    def build(self, name: str, *options: str, base: str | None = None) -> str:
        """Build the example; returns its image's name."""
        given = [f"--secret=id={id},src={path}" for id, path in self.secrets.items()]
        argv = ["build", "-q", "--network", "host", "--build-arg", f"BASE={base or self.base}", *given, *options]
        self.cli(*argv, "-t", f"example-{name}", str(EXAMPLES / name), timeout_s=BUILD_S)
        return f"example-{name}"

    def run(self, image: str, *command: str, input: bytes | None = None) -> str:
        return self.cli("run", "-i", "--rm", "--network", "none", image, *command, input=input)

    @contextmanager
    def service(self, image: str) -> Iterator[str]:
        """A container that answers on its own loopback, and on nothing else."""
        container = self.cli("run", "-d", "--network", "none", "--read-only", "--tmpfs", "/tmp", image).strip()
        try:
            yield container
        finally:
            self.cli("rm", "-f", "-v", container)

    def shell(self, image: str, script: str) -> str:
        return self.cli("run", "--rm", "--network", "none", "--entrypoint", "sh", image, "-c", script)


@pytest.fixture(scope="session")
def site(state: Cli, tmp_path_factory: pytest.TempPathFactory) -> Site:
    if not has_network():
        pytest.skip("there is no network here")
    base = bootstrapped(state, "example-base", "python3", "python3-venv", "ca-certificates")
    return Site(state, base, secrets(tmp_path_factory.mktemp("secrets")))


def has_network() -> bool:
    return len(Path("/proc/net/route").read_text().splitlines()) > 1


def bootstrapped(state: Cli, tag: str, *packages: str) -> str:
    include = [f"--include={package}" for package in packages]
    done = state.run("image", "bootstrap", SUITE, "-t", tag, *include, timeout_s=BUILD_S)
    if done.returncode:
        pytest.skip(f"the packages of {SUITE} can not be had: {done.stderr.decode()[-300:]}")
    return tag


def secrets(directory: Path) -> dict[str, Path]:
    """By id, a file with what the client is told here."""
    texts = {"apt": apt_settings(), "pip": pip_settings(), "npm": npm_settings()}
    found = {}
    for name, text in texts.items():
        found[name] = directory / name
        found[name].write_text(text)
    return {**found, **({"certificates": CERTIFICATES} if CERTIFICATES.exists() else {})}


def said(*command: str) -> str:
    """What a client prints; nothing where it is not there."""
    return subprocess.run(command, capture_output=True, text=True).stdout if shutil.which(command[0]) else ""


def apt_settings() -> str:
    return "".join(line + "\n" for line in said("apt-config", "dump").splitlines() if line.startswith("Acquire::"))


def pip_settings() -> str:
    """Only what has a meaning elsewhere: no directories of this machine."""
    lines = ["[global]"]
    for line in said(sys.executable, "-m", "pip", "config", "list").splitlines():
        name, _, value = line.partition("=")
        key, value = name.rpartition(".")[2], value.strip("'")
        if key in ("index-url", "extra-index-url", "proxy", "trusted-host", "timeout") and "file:" not in value:
            lines.append(f"{key} = {value}")
    if CERTIFICATES.exists():
        lines.append(f"cert = {CERTIFICATES}")
    return "\n".join([*lines, ""])


def npm_settings() -> str:
    keys = ("registry", "proxy", "https-proxy", "strict-ssl")
    lines = [
        f"{key}={value}" for key in keys if (value := said("npm", "config", "get", key).strip()) not in ("", "null")
    ]
    if CERTIFICATES.exists():
        lines.append(f"cafile={CERTIFICATES}")
    return "\n".join([*lines, ""])


@pytest.fixture(scope="session")
def pip(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Skips where pip reaches no packages."""
    where = str(tmp_path_factory.mktemp("probe"))
    argv = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", where, "tabulate==0.9.0"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120)
    if done.returncode:
        pytest.skip(f"pip reaches no packages: {done.stderr[-300:]}")


@pytest.fixture(scope="session")
def npm() -> None:
    """Skips where npm reaches no packages."""
    if not said("npm", "view", "marked@4.3.0", "version").strip():
        pytest.skip("npm is not here, or reaches no packages")


def test_tools_of_the_distribution_are_installed_and_nothing_else_is_left(site: Site) -> None:
    image = site.build("apt-tools")
    assert site.run(image, input=b'[{"name": "one"}, {"name": "two"}]') == "one\ntwo\n"
    left = "ls /var/lib/apt/lists /var/cache/apt /etc/apt/apt.conf.d"
    assert site.shell(image, left).split() == site.shell(site.base, left).split()


def test_compiled_program_runs_alone(site: Site) -> None:
    image = site.build("c-to-scratch")
    assert site.run(image).split()[-1] == "29"
    assert site.run(image, "10").split() == ["2", "3", "5", "7"]
    assert json.loads(site.cli("inspect", image))[0]["Size"] < 1 << 20


def test_packages_of_pip_are_in_the_image_and_its_settings_are_not(site: Site, pip: None) -> None:
    image = site.build("pip-app")
    assert "| python " in site.run(image)
    assert site.shell(image, "ls /root/.cache /etc/pip.conf 2>/dev/null || true") == ""


def test_wheel_is_built_installed_and_handed_out(site: Site, pip: None, tmp_path: Path) -> None:
    image = site.build("wheel")
    assert site.run(image, "Ada", "Grace") == "Hello, Ada and Grace!\n"
    site.build("wheel", "--target", "wheels", "--output", str(tmp_path / "dist"))
    assert [path.name for path in (tmp_path / "dist").iterdir()] == ["greeter-1.0-py3-none-any.whl"]


def test_model_is_trained_while_the_image_is_built_and_predicts(site: Site, pip: None) -> None:
    image = site.build("inference")
    with site.service(image) as container:
        answer = json.loads(site.cli("exec", "-i", container, "python", "-", input=QUERY))
    assert len(answer["classes"]) == 2
    assert all(0.3 < sure <= 1 for sure in answer["confidence"])


QUERY = b"""
import time, urllib.error, urllib.request
request = urllib.request.Request("http://127.0.0.1:8080/predict", b'{"points": [[0.1, 0.4], [-0.5, 0.2]]}')
for attempt in range(100):
    try:
        print(urllib.request.urlopen(request, timeout=10).read().decode())
        break
    except urllib.error.URLError:
        time.sleep(0.1)
"""


def test_site_is_generated_and_served(site: Site) -> None:
    with site.service(site.build("static-site")) as container:
        assert "<title>About</title>" in fetch(site, container, "about.html")


def fetch(site: Site, container: str, page: str) -> str:
    script = f"for i in $(seq 100); do wget -q -O - http://127.0.0.1:8080/{page} && exit; sleep 0.1; done; exit 1"
    return site.cli("exec", container, "sh", "-c", script)


def test_guestbook_passes_its_own_tests_while_it_is_built(site: Site) -> None:
    with site.service(site.build("guestbook")) as container:
        assert "guestbook" in site.cli("ps", "--format", "{{.Image}}", "--filter", f"id={container}")


@long_run
def test_packages_of_npm_make_a_page(site: Site, npm: None) -> None:
    base = bootstrapped(site.cli, "example-node", "nodejs", "npm", "ca-certificates")
    with site.service(site.build("npm-page", base=base)) as container:
        assert "<em>npm</em>" in fetch(site, container, "index.html")
