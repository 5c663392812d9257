"""Turns a kind and a number into that many files of it and what lies beside them, the same ones every time.

Each file differs from every other in names and numbers, and one in ten has a mistake that people make: no USER, a
database on every address, a password, headers that are missing, an action that moves. Manifests have five small
findings each, as most have. Nothing in them is beyond what elo-gate can decide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

# As it is today also what tests/perf/measure.py measures: three objects, 85 lines.
MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web-{n}
  namespace: production
  labels:
    app: web-{n}
spec:
  replicas: 3
  selector:
    matchLabels:
      app: web-{n}
  template:
    metadata:
      labels:
        app: web-{n}
    spec:
      automountServiceAccountToken: false
      terminationGracePeriodSeconds: 45
      containers:
        - name: web
          image: ghcr.io/acme/web-{n}:1.{n}.0
          ports:
            - name: http
              containerPort: 8080
          env:
            - name: NODE_ENV
              value: production
            - name: DATABASE_URL
              valueFrom:
                secretKeyRef:
                  name: web-{n}
                  key: database-url
            - name: LOG_LEVEL
              value: info
          resources:
            requests:
              cpu: 100m
              memory: 256Mi
            limits:
              cpu: 500m
              memory: 512Mi
          livenessProbe:
            httpGet:
              path: /api/live
              port: http
            periodSeconds: 10
          readinessProbe:
            httpGet:
              path: /api/ready
              port: http
            periodSeconds: 5
          volumeMounts:
            - name: tmp
              mountPath: /tmp
      volumes:
        - name: tmp
          emptyDir: {{}}
---
apiVersion: v1
kind: Service
metadata:
  name: web-{n}
  namespace: production
  labels:
    app: web-{n}
spec:
  type: ClusterIP
  selector:
    app: web-{n}
  ports:
    - name: http
      port: 80
      targetPort: http
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: web-{n}
  namespace: production
spec:
  maxUnavailable: 1
  selector:
    matchLabels:
      app: web-{n}
"""
DOCKERFILE = """\
# syntax=docker/dockerfile:1
FROM node:24.11.1-alpine3.22 AS deps
WORKDIR /app
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm \\
    npm ci

FROM deps AS builder
COPY . .
ENV NEXT_TELEMETRY_DISABLED=1
RUN npm run build

FROM node:24.11.1-alpine3.22 AS runner
WORKDIR /app
ENV NODE_ENV=production PORT=3000 HOSTNAME=0.0.0.0
COPY --from=builder --chown=1001:1001 /app/.next/standalone ./
COPY --from=builder --chown=1001:1001 /app/.next/static ./.next/static
USER 1001
EXPOSE 3000
CMD ["node", "server.js"]
"""
COMPOSE = """\
services:
  app:
    image: ghcr.io/acme/web:1.4.2
    restart: unless-stopped
    environment:
      NODE_ENV: production
      DATABASE_URL: ${DATABASE_URL:?}
    depends_on:
      db: {condition: service_healthy}
  db:
    image: postgres:18.1
    restart: unless-stopped
    volumes: ["data:/var/lib/postgresql"]
    healthcheck: {test: ["CMD-SHELL", "pg_isready"]}
volumes:
  data:
"""
NEXT = """\
import type { NextConfig } from 'next'

const security = [
  { key: 'X-Frame-Options', value: 'DENY' },
  { key: 'X-Content-Type-Options', value: 'nosniff' },
  { key: 'Referrer-Policy', value: 'strict-origin-when-cross-origin' },
  { key: 'Permissions-Policy', value: 'camera=(), microphone=(), geolocation=()' },
  { key: 'Strict-Transport-Security', value: 'max-age=63072000; includeSubDomains' },
  { key: 'Content-Security-Policy', value: "default-src 'self'; frame-ancestors 'none'; base-uri 'self'" },
]

const config: NextConfig = {
  output: 'standalone',
  poweredByHeader: false,
  async headers() {
    return [{ source: '/:path*', headers: security }]
  },
}

export default config
"""
WORKFLOW = """\
name: Check web-{n}
on:
  pull_request:
    paths: ["web-{n}/**"]
permissions: {{}}
concurrency:
  group: web-{n}-${{{{ github.ref }}}}
  cancel-in-progress: true
jobs:
  test:
    name: Test
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    permissions:
      contents: read # the checkout
    steps:
      - uses: actions/checkout@{pin}
        with:
          persist-credentials: false
      - uses: actions/setup-node@48b55a011bda9f5d6aeb4c2d9c7362e8dae4041e # v6.4.0
        with:
          node-version: 24
      - name: Install
        run: npm ci
        working-directory: web-{n}
      - name: Test
        run: |
          npm run lint
          npm test -- --shard={shard}/4
        working-directory: web-{n}
        env:
          LOG_LEVEL: info
"""
# What lies beside a Dockerfile and a next.config.ts, so that what they need is there and known.
PACKAGE = """\
{{
  "name": "web-{n}",
  "private": true,
  "engines": {{"node": "24"}},
  "scripts": {{"build": "next build", "start": "next start", "lint": "eslint .", "test": "vitest run"}},
  "dependencies": {{"next": "16.4.6", "react": "19.3.0", "react-dom": "19.3.0"}}
}}
"""
LOCK = """\
{{
  "name": "web-{n}",
  "lockfileVersion": 3,
  "requires": true,
  "packages": {{
    "": {{"name": "web-{n}", "dependencies": {{"next": "16.4.6", "react": "19.3.0", "react-dom": "19.3.0"}}}},
    "node_modules/next": {{"version": "16.4.6"}},
    "node_modules/react": {{"version": "19.3.0"}},
    "node_modules/react-dom": {{"version": "19.3.0"}}
  }}
}}
"""
IGNORED = ".git\n.env*\nnode_modules\n.next\n"
SETTINGS = """\
APP_URL=https://web-{n}.acme.io
LOG_LEVEL=info
FEATURE_PUSH=true
REQUEST_TIMEOUT_MS={timeout}
SMTP_HOST=smtp.acme.io
SMTP_PORT=587
"""
_PIN = "de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2"


def _mistaken(n: int) -> bool:
    return n % 10 == 7


def manifest(n: int) -> dict[str, str]:
    """Path -> text of the n-th Kubernetes manifest; the functions below likewise, each of its kind."""
    return {f"k8s/production/{n // 100}/web-{n}.yaml": MANIFEST.format(n=n)}


def dockerfile(n: int) -> dict[str, str]:
    text = DOCKERFILE.replace("PORT=3000", f"PORT=8080 RELEASE=1.{n}.0").replace("EXPOSE 3000", "EXPOSE 8080")
    return {
        f"web-{n}/Dockerfile": text.replace("USER 1001\n", "") if _mistaken(n) else text,
        f"web-{n}/.dockerignore": IGNORED,
        **_package(n),
    }


def compose(n: int) -> dict[str, str]:
    text = COMPOSE.replace("acme/web:1.4.2", f"acme/web-{n}:1.{n}.0")
    if _mistaken(n):
        text = text.replace('    volumes: ["data', '    ports: ["5432:5432"]\n    volumes: ["data')
    return {f"web-{n}/compose.yaml": text}


def env(n: int) -> dict[str, str]:
    text = SETTINGS.format(n=n, timeout=5000 + n)
    return {f"web-{n}/.env.production": text + ("SMTP_PASSWORD=changeme\n" if _mistaken(n) else "")}


def next_config(n: int) -> dict[str, str]:
    text = NEXT.replace("max-age=63072000", f"max-age={63072000 + n}")
    if _mistaken(n):
        text = text.replace("  { key: 'X-Frame-Options', value: 'DENY' },\n", "").replace(
            "frame-ancestors 'none'; ", ""
        )
    return {f"web-{n}/next.config.ts": text, **_package(n)}


def workflow(n: int) -> dict[str, str]:
    text = WORKFLOW.format(n=n, pin="v6" if _mistaken(n) else _PIN, shard=n % 4 + 1)
    return {f".github/workflows/web-{n}.yml": text}


def _package(n: int) -> dict[str, str]:
    return {f"web-{n}/package.json": PACKAGE.format(n=n), f"web-{n}/package-lock.json": LOCK.format(n=n)}


# Kind -> (what makes the n-th, how its files' names end, how many there are of it).
KINDS: dict[str, tuple[Callable[[int], dict[str, str]], str, int]] = {
    "k8s": (manifest, ".yaml", 2000),
    "dockerfile": (dockerfile, "/Dockerfile", 500),
    "compose": (compose, "/compose.yaml", 300),
    "env": (env, "/.env.production", 500),
    "next": (next_config, "/next.config.ts", 200),
    "workflow": (workflow, ".yml", 200),
}
MONOREPO = sum(size for _, _, size in KINDS.values())


def corpus(kind: str, count: int) -> dict[str, str]:
    """Path -> text of so many files of a kind, and of what lies beside them.

    Of "monorepo": of all kinds in the proportions of KINDS, each of them at least once.
    """
    made: dict[str, str] = {}
    if kind != "monorepo":
        for n in range(count):
            made.update(KINDS[kind][0](n))
        return made
    left = count
    for place, (build, _, size) in enumerate(KINDS.values()):
        share = max(1, count * size // MONOREPO if place < len(KINDS) - 1 else left)
        left -= share
        for n in range(share):
            made.update(build(n))
    return made


def of_kind(kind: str, files: Iterable[str]) -> list[str]:
    """The paths of a corpus that are of the kind, not beside it, in order."""
    if kind == "monorepo":
        return sorted({path for name in KINDS for path in of_kind(name, files)})
    ending = KINDS[kind][1]
    apart = "/compose.yaml" if kind == "k8s" else "\0"
    return sorted(path for path in files if path.endswith(ending) and not path.endswith(apart))


def write(files: dict[str, str], folder: Path) -> None:
    """Writes files below a folder."""
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
