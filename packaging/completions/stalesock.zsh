#compdef stalesock
# SPDX-License-Identifier: Apache-2.0
# zsh completion for stalesock. Commands and options are those that the program itself names.
local -a commands options verdicts
verdicts=(stale_reuse reuse_race unanswered_close dirty_close dirty_idle close_wait_leak silent_drop
	peer_unresponsive abandoned_response early_response half_close_response farewell_write idle_close limit_close
	early_idle_close pool_mismatch keepalive_ineffective keepalive_late)
if (( CURRENT == 2 )); then
	commands=(${(f)"$(stalesock --help 2>/dev/null |
		sed -n '/^Subcommands:/,/^$/s/^  \([a-z]*\) *\(.*\)/\1:\2/p')"})
	_describe command commands
	return
fi
case ${words[CURRENT - 1]} in
--verdict) compadd -a verdicts ;;
--min-severity) compadd info notice warning error ;;
--hooks) compadd automatic tracepoint trampoline none ;;
--config|-o|--output|--recording|--svg) _files ;;
*)
	if [[ ${words[CURRENT]} == -* ]]; then
		options=(${(f)"$(stalesock ${words[2]} --help 2>/dev/null | grep -o -- '--[a-z][a-z-]*' | sort -u)"})
		compadd -a options
	else
		_files
	fi
	;;
esac
