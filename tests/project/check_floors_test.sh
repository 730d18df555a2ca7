#!/usr/bin/env bash
# tools/check-floors lets a downward include pass and refuses every kind of include that it is there to refuse.
#   check_floors_test.sh PATH-OF-CHECK-FLOORS
set -euo pipefail
check=$1
house=$(mktemp -d)
trap 'rm -rf "$house"' EXIT
failed=0

# expect pass|fail FILE INCLUDE
expect() {
  rm -rf "${house:?}"/*
  mkdir -p "$house/$(dirname "$2")"
  printf '#pragma once\n#include %s\n' "$3" >"$house/$2"
  local seen=pass
  output=$("$check" "$house" 2>&1) || seen=fail
  if [ $seen != "$1" ] || { [ $seen = fail ] && [[ $output != *"$2:"* ]]; }; then
    echo "expected $1 for $2 with #include $3, got $seen: $output"
    failed=1
  fi
}

expect pass lapse/stats/mean.hpp '<lapse/base/error.hpp>'
expect pass lapse/stats/mean.hpp '<lapse/stats/sum.hpp>'
expect pass lapse/stats/mean.hpp '<vector>'
expect pass lapse/report/text.cpp '<lapse/measure/run.hpp>'
expect pass cli/time.cpp '<lapse/report/report.hpp>'
expect pass cli/time.cpp '"cli/console.hpp"'
expect pass engines/torch/plugin.cpp '<lapse/engine/abi.h>'
expect pass engines/torch/plugin.cpp '"../common/options.hpp"'

expect fail lapse/base/error.hpp '<lapse/stats/mean.hpp>'
expect fail lapse/stats/mean.hpp '<lapse/host/memory.hpp>'
expect fail lapse/measure/run.cpp '"lapse/report/text.hpp"'
expect fail lapse/measure/run.cpp '  "../report/text.hpp"'
expect fail lapse/report/text.cpp '<cli/console.hpp>'
expect fail lapse/engine/loader.cpp '<engines/torch/plugin.hpp>'
expect fail lapse/measure/run.cpp '<lapse/utils/strings.hpp>'
expect fail lapse/utils/strings.hpp '<string>'
expect fail engines/torch/plugin.cpp '<lapse/engine/session.hpp>'
expect fail engines/torch/plugin.cpp '<lapse/base/error.hpp>'
exit $failed
