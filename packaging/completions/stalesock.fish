# SPDX-License-Identifier: Apache-2.0
# fish completion for stalesock. Commands and options are those that the program itself names.
function __stalesock_commands
    stalesock --help 2>/dev/null | sed -n '/^Subcommands:/,/^$/s/^  \([a-z]*\) *\(.*\)/\1\t\2/p'
end

function __stalesock_options
    set -l words (commandline -opc)
    stalesock $words[2] --help 2>/dev/null | string match -ra -- '--[a-z][a-z-]*' | sort -u
end

set -l verdicts stale_reuse reuse_race unanswered_close dirty_close dirty_idle close_wait_leak silent_drop \
    peer_unresponsive abandoned_response early_response half_close_response farewell_write idle_close limit_close \
    early_idle_close pool_mismatch keepalive_ineffective keepalive_late
complete -c stalesock -n 'test (count (commandline -opc)) -eq 1' -f -a '(__stalesock_commands)'
complete -c stalesock -n 'test (count (commandline -opc)) -gt 1' -a '(__stalesock_options)'
complete -c stalesock -l verdict -x -a "$verdicts"
complete -c stalesock -l min-severity -x -a 'info notice warning error'
complete -c stalesock -l hooks -x -a 'automatic tracepoint trampoline none'
