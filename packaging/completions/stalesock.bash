# SPDX-License-Identifier: Apache-2.0
# bash completion for stalesock. Commands and options are those that the program itself names.
_stalesock()
{
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}
	local verdicts="stale_reuse reuse_race unanswered_close dirty_close dirty_idle close_wait_leak silent_drop
		peer_unresponsive abandoned_response early_response half_close_response farewell_write idle_close limit_close
		early_idle_close pool_mismatch keepalive_ineffective keepalive_late"
	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		# shellcheck disable=SC2207 # one word each
		COMPREPLY=($(compgen -W "--help --version $(stalesock --help 2>/dev/null |
			sed -n '/^Subcommands:/,/^$/s/^  \([a-z]*\) .*/\1/p')" -- "$current"))
		return
	fi
	case $previous in
	--verdict) mapfile -t COMPREPLY < <(compgen -W "$verdicts" -- "$current") ;;
	--min-severity) mapfile -t COMPREPLY < <(compgen -W "info notice warning error" -- "$current") ;;
	--hooks) mapfile -t COMPREPLY < <(compgen -W "automatic tracepoint trampoline none" -- "$current") ;;
	--unit) mapfile -t COMPREPLY < <(compgen -W "$(systemctl list-units --plain --no-legend --type=service 2>/dev/null |
		cut -d ' ' -f 1)" -- "$current") ;;
	--config | -o | --output | --recording | --svg) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
	*)
		if [[ $current == -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W "$(stalesock "$command" --help 2>/dev/null |
				grep -o -- '--[a-z][a-z-]*' | sort -u)" -- "$current")
		else
			mapfile -t COMPREPLY < <(compgen -f -- "$current")
		fi
		;;
	esac
}
complete -o filenames -F _stalesock stalesock
