#!/usr/bin/env bash
# The closing line of tools/run-tests tells the truth about every way in which a test can end, and so does its exit status.
#   run_tests_test.sh PATH-OF-RUN-TESTS
set -euo pipefail
run_tests=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
wrong=0

# A stand-in for ctest: writes the cases in $CASES where it was told to, and ends with $STATUS.
cat >"$folder/ctest" <<'STANDIN'
#!/bin/bash
while [ "$1" != --output-junit ]; do shift; done
printf '<testsuite tests="9">\n%s\n</testsuite>\n' "$CASES" >"$2"
exit "$STATUS"
STANDIN
chmod +x "$folder/ctest"

# expect CLOSING-LINE EXIT-STATUS CTEST-STATUS CASE…
expect() {
  local seen=0 output
  output=$(STATUS=$3 CASES=$(printf '%s\n' "${@:4}") PATH=$folder:$PATH "$run_tests" test) || seen=$?
  if [ "$(tail -n 1 <<<"$output")" != "$1" ] || [ $seen != "$2" ]; then
    echo "expected '$1' and exit status $2, got '$output' and $seen"
    wrong=1
  fi
}

passed='<testcase name="a" classname="a" time="0" status="run"> </testcase>'
failed=$'<testcase name="b" classname="b" time="0" status="fail">\n<failure message=""/>\n</testcase>'
skipped=$'<testcase name="c" classname="c" time="0" status="notrun">\n<skipped message="SKIP_REGULAR_EXPRESSION_MATCHED"/>\n</testcase>'
disabled='<testcase name="d" classname="d" time="0" status="disabled"> </testcase>'
absent=$'<testcase name="e" classname="e" time="0" status="notrun">\n<skipped message="Unable to find executable"/>\n</testcase>'

expect '1 passed, 0 failed' 0 0 "$passed"
expect '2 passed, 1 failed' 1 8 "$passed" "$failed" "$passed"
expect '1 passed, 0 failed' 0 0 "$skipped" "$passed" "$disabled"
expect '1 passed, 1 failed' 1 8 "$absent" "$passed"
expect '1 passed, 1 failed' 1 8 "$skipped" "$absent" "$passed"
expect '0 passed, 1 failed' 1 8 ''
expect '1 passed, 1 failed' 1 8 "$passed"
exit $wrong
