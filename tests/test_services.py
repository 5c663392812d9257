"""The stitching of services: what is tied together, by which evidence, and what is left apart."""

from __future__ import annotations

import pytest

from elo_gate import examples
from elo_gate.project import services
from elo_gate.ruleset.load import load

DOCKERFILE = 'FROM node:24-alpine\nCOPY package.json ./\nENV PORT=3000\nEXPOSE 3000\nCMD ["node", "server.js"]\n'
POD = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME, namespace: shop}
spec:
  selector: {matchLabels: {app: NAME}}
  template:
    metadata: {labels: {app: NAME}}
    spec:
      containers:
        - name: main
          image: IMAGE
          ports: [{containerPort: 3000}]
"""


def pod(name: str, image: str) -> str:
    return POD.replace("NAME", name).replace("IMAGE", image)


def stitched(files: dict[str, str]) -> dict[str, set[str]]:
    """Service name -> kinds and names of its parts."""
    project = examples.project_of(files, load())
    return {each.name: {f"{part.kind} {part.name}" for part in each.parts} for each in services.of(project)}


def why(files: dict[str, str]) -> list[str]:
    project = examples.project_of(files, load())
    return [words for each in services.of(project) for _, _, words in each.links]


def test_a_compose_service_is_tied_to_the_dockerfile_it_names() -> None:
    files = {
        "deploy/web.Dockerfile": DOCKERFILE,
        "package.json": '{"name": "shop"}',
        "compose.production.yaml": "services:\n  web:\n    build: {context: ., dockerfile: deploy/web.Dockerfile}\n",
    }
    assert stitched(files) == {"web": {"application shop", "image deploy/web.Dockerfile", "compose web"}}
    assert "it is built from deploy/web.Dockerfile" in why(files)


def test_the_same_image_ties_compose_and_kubernetes() -> None:
    files = {
        "compose.production.yaml": "services:\n  web:\n    image: ghcr.io/acme/web:1.2.0\n",
        "k8s/production/web.yaml": pod("frontend", "ghcr.io/acme/web:1.3.0"),
    }
    assert stitched(files) == {"web": {"compose web", "kubernetes frontend/main"}}


def test_the_only_image_is_tied_to_the_only_own_image_of_the_manifests() -> None:
    files = {
        "Dockerfile": DOCKERFILE,
        "package.json": '{"name": "shop"}',
        "k8s/production/web.yaml": pod("web", "registry.acme.example/shop:7"),
        "k8s/production/cache.yaml": pod("cache", "redis:8.2"),
    }
    found = stitched(files)
    assert found["web"] == {"application shop", "image Dockerfile", "kubernetes web/main"}
    assert found["cache"] == {"kubernetes cache/main"}


def test_two_candidates_tie_nothing() -> None:
    files = {
        "api/Dockerfile": DOCKERFILE,
        "web/Dockerfile": DOCKERFILE,
        "k8s/production/one.yaml": pod("one", "registry.acme.example/shop:7"),
    }
    assert all("one" not in words for words in why(files))
    assert {"kubernetes one/main"} in stitched(files).values()


def test_an_image_named_like_its_folder_is_tied() -> None:
    files = {
        "services/api/Dockerfile": DOCKERFILE,
        "services/web/Dockerfile": DOCKERFILE,
        "k8s/production/api.yaml": pod("api", "registry.acme.example/shop/api:7"),
    }
    assert {"image services/api/Dockerfile", "kubernetes api/main"} in stitched(files).values()


@pytest.mark.parametrize(
    "step",
    [
        'run: docker build --file tools/Dockerfile -t "registry.acme.example/shop/main:$GITHUB_SHA" .',
        "run: docker buildx build --push -t registry.acme.example/shop/main:1 tools",
        "{uses: docker/build-push-action@v6, with: {context: tools, tags: 'registry.acme.example/shop/main:1'}}",
        "{uses: docker/build-push-action@v6, with: {file: tools/Dockerfile, tags: 'registry.acme.example/shop/main:1'}}",
    ],
)
def test_a_pipeline_says_which_image_is_built_from_which_file(step: str) -> None:
    files = {
        "Dockerfile": DOCKERFILE,
        "tools/Dockerfile": DOCKERFILE,
        "k8s/production/a.yaml": pod("a", "registry.acme.example/shop/main:7"),
        ".github/workflows/image.yml": f"on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - {step}\n",
    }
    assert {"image tools/Dockerfile", "kubernetes a/main"} in stitched(files).values()
    assert "a pipeline builds registry.acme.example/shop/main from tools/Dockerfile" in why(files)


def test_a_pipeline_that_builds_one_name_from_two_files_ties_nothing() -> None:
    build = "docker build -t registry.acme.example/shop/main:1"
    files = {
        "one/Dockerfile": DOCKERFILE,
        "two/Dockerfile": DOCKERFILE,
        "k8s/production/a.yaml": pod("a", "registry.acme.example/shop/main:7"),
        ".github/workflows/image.yml": (
            "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n"
            f"      - run: {build} one\n      - run: {build} two\n"
        ),
    }
    assert not any("a pipeline builds" in words for words in why(files))


@pytest.mark.parametrize(
    ("own", "image", "port"),
    [
        ("", "ENV PORT=3000\n", 3000),
        ("environment: {PORT: '8080'}", "ENV PORT=3000\n", 8080),
        ("environment: {PORT: '${PORT}'}", "ENV PORT=3000\n", None),
        ("", "ARG P\nENV PORT=$P\n", None),
        ("command: npx next start -p 4000", "ENV PORT=3000\n", 4000),
    ],
)
def test_the_port_a_part_listens_on(own: str, image: str, port: int | None) -> None:
    files = {
        "Dockerfile": f'FROM node:24-alpine\n{image}CMD ["node", "server.js"]\n',
        "compose.production.yaml": f"services:\n  web:\n    build: .\n    restart: always\n    {own}\n",
    }
    project = examples.project_of(files, load())
    [service] = services.of(project)
    [part] = service.runners
    claim = services.port(part, services.image_of(service, part))
    assert (claim.value if claim is not None else None) == port
