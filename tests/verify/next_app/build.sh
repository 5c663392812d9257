#!/usr/bin/env bash
# Builds the standalone app into a folder: build.sh OUT. The tests take it from ELO_GATE_NEXT_APP=OUT.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=${1:?usage: build.sh OUT}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$here/." "$work"
cd "$work"
export NEXT_TELEMETRY_DISABLED=1 CI=1
npm ci --silent --no-fund --no-audit
npx next build
rm -rf "$out"
mkdir -p "$(dirname "$out")"
cp -r .next/standalone "$out"
cp -r .next/static "$out/.next/static"
cp -r public "$out/public"
