#!/usr/bin/env bash
# The tables of benchmarks/README.md, one after the other: `make benchmark`. About 80 minutes with the
# peers, 70 without; the machine should have nothing else to do. Arguments name some of the parts.
# A part that fails does not keep the others from running; the exit code tells of it at the end.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2
bin=${BIN:-.venv/bin}
parts=${*:-start table scaling limit pipeline}
failed=()

run() {
  "$bin/python" -m "benchmarks.$1" --publish "${@:2}" || failed+=("$*")
}

for part in $parts; do
  case $part in
    start | table | scaling | limit | pipeline | answers | calls | stops) ;;
    *)
      echo "No part $part; there are start, table, scaling, limit, pipeline, answers, calls and stops." >&2
      exit 2
      ;;
  esac
done

if [ "${PEERS:-}" = yes ]; then
  "$bin/uv" venv --quiet --allow-existing --python "$bin/python" .benchmarks/venv &&
    "$bin/uv" pip install --quiet --python .benchmarks/venv/bin/python -r benchmarks/requirements.txt ||
    failed+=("installing the peers")
fi

for part in $parts; do
  case $part in
    table) run run ;;
    scaling) for one in sizes parallel slow account; do run scaling "$one"; done ;;
    *) run "$part" ;;
  esac
done

if [ ${#failed[@]} -gt 0 ]; then
  printf 'Failed or incomplete: %s\n' "${failed[@]}" >&2
  exit 1
fi
