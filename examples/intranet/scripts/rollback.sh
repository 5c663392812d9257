#!/usr/bin/env bash
# scripts/rollback.sh PLATFORM RELEASE: back to an earlier release, and a look whether it answers.
# The database has a way back of its own: scripts/restore-database.sh.
set -euo pipefail

platform=${1:?vercel, railway, kubernetes or docker}
release=${2:?a deployment, a commit, a revision or a version: see below}

case $platform in
  vercel) # the address of an earlier deployment, from `vercel list`
    npx --yes vercel@64.0.2 rollback "$release" --yes
    ;;
  railway) # a commit or tag: its sources are deployed again
    git switch --detach "$release"
    npx --yes @railway/cli@5.63.1 up --service web --environment production --ci
    ;;
  kubernetes) # a revision, from `kubectl --namespace intranet rollout history deployment/web`
    kubectl --namespace intranet rollout undo deployment/web --to-revision="$release"
    kubectl --namespace intranet rollout status deployment/web --timeout=5m
    ;;
  docker) # a version: its image is still in the registry
    RELEASE="$release" docker compose --file compose.production.yaml up --detach --no-build --wait web
    ;;
  *)
    printf 'No such platform: %s\n' "$platform" >&2
    exit 64
    ;;
esac

curl --fail --silent --show-error --retry 10 --retry-delay 6 --retry-all-errors \
  https://intranet.elo.example/api/health
