"""What Dockerfile and compose.yaml promise, as far as a machine without Docker can tell.

The builder's own lines are run in a plain folder that stands for the image, whose absolute paths are moved into it.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import httpx
import pytest
from checkout import copy_of_the_project
from service import Running
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from started import started

from app.cli.servers import served
from app.config import Settings, setting_rows

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
COMPOSE = (ROOT / "compose.yaml").read_text("utf-8")
SECRET = re.compile(r"TOKEN|SECRET|PASSW|KEY|CREDENTIAL", re.IGNORECASE)
Instruction = tuple[str, str]


def stages() -> list[list[Instruction]]:
    """The Dockerfile's stages, each a list of pairs of an instruction and the rest of its line."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text("utf-8"), flags=re.MULTILINE)
    found: list[list[Instruction]] = []
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            found.append([])
        if word:
            found[-1].append((word, rest.strip()))
    return found


BUILDER, FINAL = stages()


def only(word: str) -> str:
    """The rest of the final stage's one line that begins with `word`."""
    (rest,) = (rest for found, rest in FINAL if found == word)
    return rest


def words(word: str) -> list[str]:
    """A line of the final stage that is a JSON list, behind what options it has."""
    listed: list[str] = json.loads(re.sub(r"^[^\[]*", "", only(word)))
    return listed


def variables(stage: list[Instruction]) -> dict[str, str]:
    """What the ENV lines of a stage set."""
    pairs = [pair.partition("=") for word, rest in stage if word == "ENV" for pair in shlex.split(rest)]
    assert all(equals for _, equals, _ in pairs)
    return {name: value for name, _, value in pairs}


def copied(rest: str) -> tuple[list[str], str]:
    """The sources and the target of a COPY."""
    *sources, target = (part for part in shlex.split(rest) if not part.startswith("--"))
    return sources, target


def is_sent(path: str) -> bool:
    """Whether .dockerignore lets a file into the build: the last line that fits it, or a folder above it, decides."""
    sent = True
    for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines():
        pattern = line.strip().removeprefix("!")
        if not pattern or pattern.startswith("#"):
            continue
        assert re.fullmatch(r"(\*\*/)?[\w.*\[\]-]+", pattern), f"{pattern} is more than this test reads"
        end = re.escape(pattern.removeprefix("**/")).replace(r"\*", "[^/]*").replace(r"\[", "[").replace(r"\]", "]")
        if re.match(("(.*/)?" if pattern.startswith("**/") else "") + end + "(/|$)", path):
            sent = line.strip().startswith("!")
    return sent


def compose() -> dict[str, Any]:
    """compose.yaml as mappings, lists and text: it keeps to the part of YAML that these few lines read."""
    lines = deque(
        (len(line) - len(line.lstrip()), line.strip())
        for line in COMPOSE.splitlines()
        if line.strip() and not line.lstrip().startswith("#")
    )
    read = below(lines)
    assert not lines
    assert isinstance(read, dict)
    return read


def below(lines: deque[tuple[int, str]]) -> Any:
    """What the next lines with one indent make, those that are further in included."""
    indent, first = lines[0]
    if first.startswith("- "):
        items = []
        while lines and lines[0][0] == indent:
            item = lines.popleft()[1]
            assert item.startswith("- ")
            items.append(item.removeprefix("- ").strip('"'))
        return items
    mapping: dict[str, Any] = {}
    while lines and lines[0][0] == indent:
        key, colon, value = lines.popleft()[1].partition(":")
        assert colon
        assert key not in mapping
        is_deeper = not value and bool(lines) and lines[0][0] > indent
        mapping[key] = below(lines) if is_deeper else value.strip().strip('"') or None
    assert not lines or lines[0][0] < indent
    return mapping


def test_both_stages_stand_on_the_same_small_image_of_one_minor_version_that_the_package_supports() -> None:
    bases = [stage[0][1].split()[0] for stage in (BUILDER, FINAL)]
    assert len(set(bases)) == 1
    version = re.fullmatch(r"python:(3\.\d+)(?:\.\d+)?-slim(?:-[a-z]+)?", bases[0])
    assert version
    assert f"Programming Language :: Python :: {version[1]}" in PROJECT["classifiers"]


def test_the_builder_keeps_to_what_a_plain_folder_can_run() -> None:
    assert {word for word, _ in BUILDER} == {"FROM", "ENV", "WORKDIR", "COPY", "RUN"}
    assert not [rest for word, rest in BUILDER + FINAL if word == "RUN" and rest.startswith(("--", "[", "<<"))]
    assert not re.search(r"curl|wget|apt-get", (ROOT / "Dockerfile").read_text("utf-8"))


def test_the_service_runs_as_a_user_without_rights_whose_number_is_fixed_and_owns_the_volume() -> None:
    user = only("USER")
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user)
    last = [word for word, _ in FINAL]
    assert last.index("USER") > max(i for i, word in enumerate(last) if word in {"RUN", "COPY"})
    (volume,) = words("VOLUME")
    assert f"chown {user} {volume}" in only("RUN")


def test_the_archive_is_in_the_volume_and_nothing_is_written_beside_it() -> None:
    environment = variables(FINAL)
    (volume,) = words("VOLUME")
    archive = Settings(archive_url=environment["POWERSHAPER_ARCHIVE_URL"]).archive
    assert archive.startswith(f"sqlite:///{volume}/")
    assert environment["PYTHONDONTWRITEBYTECODE"] == "1"


def test_the_image_holds_no_secret() -> None:
    assert not [rest for word, rest in BUILDER + FINAL if word == "ARG"]
    names = set(variables(BUILDER)) | set(variables(FINAL))
    assert not [name for name in names if SECRET.search(name)]
    assert not [name for name in (".env", "archive.db", ".git/config", "tests/conftest.py") if is_sent(name)]


def test_every_setting_of_image_and_composition_is_one_that_the_service_reads() -> None:
    names = set(variables(FINAL)) | set(compose()["services"]["app"]["environment"])
    assert {name for name in names if name.startswith("POWERSHAPER_")} <= {name for name, _, _ in setting_rows()}


def test_every_source_that_is_copied_is_there_and_sent_to_the_build() -> None:
    for word, rest in BUILDER:
        if word == "COPY":
            for source in copied(rest)[0]:
                assert (ROOT / source).exists(), source
                assert is_sent(source), source
    assert is_sent("app/demo/data/LICENSE")
    assert not is_sent("app/__pycache__/main.cpython-313.pyc")
    for source in [PROJECT["readme"], *PROJECT["license-files"]]:
        assert is_sent(source), source


def test_the_final_stage_copies_the_environment_alone_to_where_it_was_made() -> None:
    rest = only("COPY")
    assert rest.startswith("--from=builder ")
    (source,), target = copied(rest)
    assert source == target
    assert f"RUN python3 -m venv {target}" in [f"{word} {rest}" for word, rest in BUILDER]
    assert variables(FINAL)["PATH"] == f"{target}/bin:$PATH"


def test_the_image_starts_the_service_for_others_on_its_port() -> None:
    (command,) = words("ENTRYPOINT")
    assert command in PROJECT["scripts"]
    assert words("CMD") == ["serve", "--host", "0.0.0.0", "--port", only("EXPOSE")]
    assert f"'http://127.0.0.1:{only('EXPOSE')}/healthz'" in words("HEALTHCHECK")[-1]


def service_of(status: int) -> ASGIApp:
    """A service of which nothing but its health is known."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await Response(status_code=status if scope["path"] == "/healthz" else 404)(scope, receive, send)

    return answer


def healthy(address: str) -> bool:
    """What the HEALTHCHECK says of a service at `address`; a proxy in the environment leads nowhere."""
    python, *arguments = words("HEALTHCHECK")
    assert python == "python"
    arguments[-1] = arguments[-1].replace(f"http://127.0.0.1:{only('EXPOSE')}", address)
    environment = os.environ | {"http_proxy": "http://127.0.0.1:9", "no_proxy": ""}
    done = subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, check=False, timeout=60)
    return done.returncode == 0


def test_the_health_check_tells_a_service_that_is_well_from_one_that_is_not() -> None:
    with served(service_of(200)) as address:
        assert healthy(address)
    assert not healthy(address)
    with served(service_of(503)) as address:
        assert not healthy(address)


def test_the_health_check_asks_what_the_service_answers(homes: Running) -> None:
    assert healthy(homes.address)


def test_the_composed_services_can_write_to_their_volumes_alone_and_gain_no_rights() -> None:
    services = compose()["services"]
    assert set(services) == {"app", "caddy"}
    for service in services.values():
        assert service["read_only"] == "true"
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
    assert "cap_add" not in services["app"]
    assert services["caddy"]["cap_add"] == ["NET_BIND_SERVICE"]
    assert services["app"]["tmpfs"] == ["/tmp"]  # noqa: S108 - the image's own


def test_the_composed_service_is_reached_through_caddy_alone_whose_word_is_believed() -> None:
    read = compose()
    app, caddy = read["services"]["app"], read["services"]["caddy"]
    assert "ports" not in app
    assert {port.split(":")[0] for port in caddy["ports"]} == {"80", "443"}
    (network,) = read["networks"]["default"]["ipam"]["config"]
    believed = app["environment"]["POWERSHAPER_TRUSTED_PROXIES"]
    assert network == f"subnet: {believed}"
    assert [str(known) for known in Settings(trusted_proxies=believed).trusted_networks] == [believed]
    assert app["environment"]["POWERSHAPER_PUBLIC_URL"].startswith("https://${DOMAIN:?")
    caddyfile = (ROOT / "docs" / "Caddyfile").read_text("utf-8")
    assert re.search(rf"^{{\$DOMAIN}} {{\n\treverse_proxy app:{only('EXPOSE')}\n}}$", caddyfile, re.MULTILINE)
    assert "./docs/Caddyfile:/etc/caddy/Caddyfile:ro" in caddy["volumes"]
    assert caddy["environment"]["DOMAIN"].startswith("${DOMAIN:?")


def test_the_composed_archive_is_in_a_volume_that_outlives_the_containers_and_the_token_in_the_file_env() -> None:
    read = compose()
    app = read["services"]["app"]
    (mounted,) = app["volumes"]
    name, _, folder = mounted.partition(":")
    assert name in read["volumes"]
    assert [folder] == words("VOLUME")
    assert app["environment"]["POWERSHAPER_ARCHIVE_URL"] == variables(FINAL)["POWERSHAPER_ARCHIVE_URL"]
    assert app["env_file"] == ".env"
    assert not [name for name in app["environment"] if SECRET.search(name)]


@dataclass(frozen=True)
class Image:
    """A folder that stands for the image, and what its final stage sets in the environment."""

    root: Path
    environment: dict[str, str]

    def path(self, absolute: str) -> Path:
        return Path(moved(absolute, self.root))

    @property
    def installed(self) -> Path:
        """The virtual environment."""
        return self.path(copied(only("COPY"))[1])


def moved(text: str, root: Path) -> str:
    """`text` with its absolute paths, an SQLite URL's too, below `root`."""
    return re.sub(r"(?:(?<![\w./])|(?<=sqlite:///))/(?=\w)", f"{root}/", text)


def context(folder: Path) -> Path:
    """What `docker build .` is sent of a fresh copy, in `folder`."""
    return copy_of_the_project(folder, is_sent)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """The image's folder after the builder's lines; this machine's python3 is the image's."""
    sent, root = context(tmp_path_factory.mktemp("context")), tmp_path_factory.mktemp("image")
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "POWERSHAPER", "COV_"))}
    environment = own | {"PATH": f"{Path(sys.base_prefix) / 'bin'}:{os.environ['PATH']}"}
    folder = root
    for word, rest in BUILDER:
        if word == "ENV":
            environment |= {name: moved(value, root) for name, value in variables([(word, rest)]).items()}
        elif word == "WORKDIR":
            folder = Path(moved(rest, root))
            folder.mkdir(parents=True, exist_ok=True)
        elif word == "COPY":
            sources, target = copied(rest)
            for source in sources:
                if (sent / source).is_dir():
                    shutil.copytree(sent / source, folder / target, dirs_exist_ok=True)
                else:
                    shutil.copy(sent / source, folder / target)
        elif word == "RUN":
            command = ["sh", "-euc", moved(rest, root)]
            done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
    shutil.rmtree(folder)
    final = {name: moved(value, root).replace("$PATH", own["PATH"]) for name, value in variables(FINAL).items()}
    made = Image(root, own | final | {"HOME": "/nonexistent"})
    made.path(only("WORKDIR")).mkdir()
    return made


def state(folder: Path) -> dict[str, tuple[int, int]]:
    """When each file and folder was last changed, and its size."""
    return {str(path): (path.lstat().st_mtime_ns, path.lstat().st_size) for path in folder.rglob("*")}


@contextmanager
def unwritten(image: Image) -> Iterator[None]:
    """Whatever runs in the block changes nothing in the image but in its volume, as if it were read-only."""
    before = state(image.installed)
    yield
    assert state(image.installed) == before
    assert set(image.root.iterdir()) <= {image.installed.parent, *map(image.path, words("VOLUME"))}


@pytest.mark.fresh
def test_the_builders_lines_install_the_locked_versions_and_nothing_for_development(image: Image) -> None:
    locked = {line.split(";")[0].strip() for line in (ROOT / "requirements.lock").read_text("utf-8").splitlines()}
    (packages,) = image.installed.glob("lib/python*/site-packages")
    names = {re.sub(r"[-_.]+", "-", found.name).lower(): found.version for found in distributions(path=[str(packages)])}
    assert {"powershaper-sheets", "fastapi", "uvicorn"} <= set(names)
    own = {"powershaper-sheets", "pip", "setuptools"}
    assert {f"{name}=={version}" for name, version in names.items() if name not in own} <= locked
    assert not {"pytest", "ruff", "mypy", "pandas", "hypothesis"} & set(names)


@pytest.mark.fresh
def test_the_built_command_tells_what_it_can_do(image: Image) -> None:
    with unwritten(image):
        done = subprocess.run(
            [*words("ENTRYPOINT"), "--help"],
            cwd=image.path(only("WORKDIR")),
            env=image.environment,
            executable=image.installed / "bin" / words("ENTRYPOINT")[0],
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert "serve" in done.stdout


@pytest.mark.fresh
def test_the_built_command_shows_the_demonstration_and_writes_nothing_into_the_image(image: Image) -> None:
    with unwritten(image):
        command: list[str | Path] = [image.installed / "bin" / words("ENTRYPOINT")[0], "demo", "--port", "0"]
        with started(command, image.path(only("WORKDIR")), image.environment) as addresses:
            for address in addresses:
                assert httpx.get(address, trust_env=False, timeout=60).status_code == 200
